"""Tickets that are too long to travel: kept for a while, and found by what their stub says."""

from msgspec.structs import replace

from pipeline.clock import SystemClock
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from policy.tracking.ticket import Stub, stub_of, ticket_of
from schemas.delivery import Delivery
from schemas.vocabulary import Channel
from tables.storage.memory_store import MemoryStore
from tables.storage.transaction import Transaction
from tables.tickets import MOST_KEPT, TICKETS, drop_tickets, keep_ticket, ticket_key
from tests.sinks.requests.recorder import delivery

ADA = delivery(Channel.EMAIL, "ada@example.com")


def turn_of(store: MemoryStore) -> Transaction:
    return Transaction(None, store, Outputs(MemoryLog(SystemClock())))


async def kept(store: MemoryStore, *mails: Delivery) -> None:
    for mail in mails:
        transaction = turn_of(store)
        keep_ticket(transaction, stub_of(mail, 0), ticket_of(mail))
        await transaction.commit()


def found(store: MemoryStore, mail: Delivery) -> bool:
    return turn_of(store).view(TICKETS).get(ticket_key(stub_of(mail, 0))) == ticket_of(mail)


def test_under_what_a_ticket_is_kept() -> None:
    stub = Stub(7, b"o" * 16, 0x0102, b"d" * 16)
    assert ticket_key(stub) == b"o" * 16 + bytes(6) + b"\x01\x02" + b"d" * 16
    assert ticket_key(Stub(7, b"o" * 16, -1, b"d" * 16)) == b"o" * 16 + bytes(8) + b"d" * 16


async def test_of_each_user_the_newest_are_kept() -> None:
    store = MemoryStore()
    mails = [
        delivery(Channel.EMAIL, "ada@example.com", n, expires_at=1_000_000 + n)
        for n in range(MOST_KEPT + 2)
    ]
    bob = replace(ADA, user="bob")
    # What was to be sent until the earliest goes first, whenever it was decided.
    await kept(store, bob, *reversed(mails))
    assert [found(store, mail) for mail in mails] == [False] * 2 + [True] * MOST_KEPT
    assert found(store, bob)


async def test_all_of_one_user_are_dropped() -> None:
    store = MemoryStore()
    other, elsewhere = replace(ADA, user="bob"), replace(ADA, tenant="acme")
    await kept(store, ADA, replace(ADA, delivery_id="f" * 32), other, elsewhere)
    transaction = turn_of(store)
    drop_tickets(transaction, stub_of(ADA, 0).owner)
    await transaction.commit()
    left = [found(store, mail) for mail in (ADA, other, elsewhere)]
    assert left == [False, True, True]
