"""The sent-ledger: on return of a mark, every replay will know."""

import asyncio
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from policy.tracking.ticket import ticket_of
from schemas.delivery import Delivery
from schemas.errors import Unavailable
from schemas.topics import DAY_MS, SENT_KEPT_MS
from tables.sent import SENT, SentLedger, SentMark
from tables.storage.memory_store import MemoryStore
from tables.storage.table import Table
from tests.tables.ground import Ground
from tests.tables.stored import read, written

MARK = SentMark(at=1_700_000_000_000, provider="fcm", reference="name/1", attempt=0)
EXAMPLE = Path(__file__).parents[2] / "schemas" / "examples" / "delivery.json"


@pytest.fixture
def ground(ground: Ground) -> Ground:
    return replace(ground, tables=(SENT,))


def delivery(number: int, expires_at: int = MARK.at + DAY_MS) -> Delivery:
    example = msgspec.json.decode(EXAMPLE.read_bytes(), type=Delivery)
    return msgspec.structs.replace(example, delivery_id=f"{number:032x}", expires_at=expires_at)


async def test_marks_at_once_are_all_durable_on_return(ground: Ground) -> None:
    sent = [delivery(number) for number in range(50)]
    expected = {one.delivery_id: MARK for one in sent}
    async with ground.open() as store:
        ledger = SentLedger(store)
        await asyncio.gather(*(ledger.mark(one, MARK) for one in sent))
        assert ledger.find([*sent, delivery(9999)]) == expected
    async with ground.open("anew") as store:
        assert SentLedger(store).find(sent) == expected


async def test_a_mark_that_can_not_be_written_is_an_error_to_who_asked(ground: Ground) -> None:
    async with ground.open() as store:
        ledger = SentLedger(store)
        ground.producer.dies_after = 0
        results = await asyncio.gather(
            *(ledger.mark(delivery(n), MARK) for n in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [Unavailable] * 3
        assert ledger.find([delivery(0)]) == {}


async def test_only_days_that_no_topic_holds_any_more_are_forgotten(ground: Ground) -> None:
    now = 100 * SENT_KEPT_MS
    old = [delivery(n, now - SENT_KEPT_MS - DAY_MS - n) for n in range(2000)]
    kept = [delivery(n + 5000, now - SENT_KEPT_MS + n) for n in range(2000)]
    async with ground.open() as store:
        ledger = SentLedger(store)
        await asyncio.gather(*(ledger.mark(one, MARK) for one in old + kept))
        ledger.forget(now)
        store._db.compact_range(None, None)
        assert set(ledger.find(old + kept)) == {one.delivery_id for one in kept}
        ledger.forget(now + 10 * SENT_KEPT_MS)
        assert ledger.find(kept) == {}


async def test_what_waited_for_weeks_before_it_was_sent_is_not_forgotten_at_once() -> None:
    accepted_at = MARK.at - 2 * SENT_KEPT_MS
    late = msgspec.structs.replace(delivery(1), accepted_at=accepted_at)
    store = MemoryStore()
    await SentLedger(store).mark(late, MARK)
    restarted = SentLedger(store)
    restarted.forget(MARK.at)
    assert restarted.find([late]) == {late.delivery_id: MARK}


class LastMark(msgspec.Struct, frozen=True, array_like=True):
    """A mark as the last release knows it."""

    at: int
    provider: str
    reference: str
    attempt: int
    segments: int = 0
    cost: float = 0.0
    held: str = ""


def test_the_last_release_reads_a_mark_with_a_ticket_and_the_other_way_round() -> None:
    last: Table[LastMark] = Table(b"s", LastMark)
    with_ticket = msgspec.structs.replace(MARK, ticket=ticket_of(delivery(1)))
    mark = LastMark(MARK.at, MARK.provider, MARK.reference, MARK.attempt)
    assert last.decode(SENT.encode(with_ticket)) == mark
    assert SENT.decode(last.encode(mark)) == MARK
    assert SENT.decode(SENT.encode(with_ticket)) == with_ticket


async def test_a_mark_is_found_by_the_delivery_and_its_last_day() -> None:
    store = MemoryStore()
    ledger = SentLedger(store)
    await ledger.mark(delivery(1), MARK)
    day = (MARK.at + DAY_MS) // DAY_MS
    assert ledger.read(f"{1:032x}", day) == MARK
    assert ledger.read(f"{1:032x}", day - 1) is None
    assert ledger.read(f"{2:032x}", day) is None


def test_what_a_mark_of_before_does_not_say_is_nothing() -> None:
    assert read(SENT, b"s", [5, "fcm", "name/1", 2]) == SentMark(
        5, "fcm", "name/1", 2, segments=0, cost=0.0, held="", ticket=None
    )
    said = SentMark(5, "fcm", "name/1", 2, 3, 0.5, "why")
    assert written(SENT, said) == {b"skey": [5, "fcm", "name/1", 2, 3, 0.5, "why", None]}
    assert read(SENT, b"s", [5, "fcm", "name/1", 2, 3, 0.5, "why", None]) == said
