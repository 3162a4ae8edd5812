"""Keys and values byte by byte: what is stored outlives the program, and order is meaning."""

from typing import Any

import msgspec
import pytest

from agents import retry
from agents.decider import agent as decider
from agents.router import agent as router
from pipeline.clock import SystemClock
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from policy.dedupe import Mark, mark_of, remember
from schemas.topics import DAY_MS, SENT_KEPT_MS
from tables.erasure_filter import ERASED
from tables.inbox import COUNTS, INBOX, inbox_key, item_id, key_of_item
from tables.outboxes import age_key, aged, item_at, post_key
from tables.sent import SENT, SentLedger
from tables.spilled_marks import SPILLED, spill
from tables.storage.journal_records import (
    ABOVE_OWN,
    key_of_completion,
    key_of_outputs,
    key_of_part,
    number_of,
    place_of,
)
from tables.storage.memory_store import MemoryStore
from tables.storage.store import FRONTIER, OFFSET
from tables.storage.table import Table, View, key_of, parts_of
from tables.storage.transaction import Transaction
from tables.timers import TIMERS, Timer, Timers
from tests.tables.test_sent import MARK, delivery

NAME = "0" * 30 + "ab"
SIXTEEN = bytes(15) + b"\xab"


def test_parts_are_preceded_by_their_length_the_high_byte_first() -> None:
    assert key_of("ann") == b"\x00\x03ann"
    assert key_of("", "é") == b"\x00\x00\x00\x02\xc3\xa9"
    assert key_of("x" * 258)[:3] == b"\x01\x02x"
    assert parts_of(b"\x00\x03ann\x00\x00\x00\x01b") == ["ann", "", "b"]


def test_the_journals_own_keys_are_below_those_of_all_tables() -> None:
    largest = (key_of_outputs(0xFFFF), key_of_completion(0xFFFF), key_of_part(0xFFFF, 0xFFFFFFFF))
    assert max(largest) < ABOVE_OWN
    assert all(table.prefix > ABOVE_OWN for table in (*decider.TABLES, *router.TABLES, SENT))


def test_the_journals_own_keys_are_a_byte_and_numbers_the_high_byte_first() -> None:
    """A successor of the last release takes parts back by them, and the other way round."""
    assert key_of_outputs(258) == b"\x02\x01\x02"
    assert key_of_part(258, 65_536 + 3) == b"\x03\x01\x02\x00\x01\x00\x03"
    assert key_of_completion(258) == b"\x04\x01\x02"
    assert number_of(key_of_part(258, 7)) == number_of(key_of_outputs(258)) == 258
    assert number_of(key_of_completion(258)) == 258
    assert place_of(key_of_part(258, 65_539)) == 65_539


@pytest.mark.parametrize(
    ("expires_at", "day"),
    [
        (0, b"\x00\x00\x00\x00"),
        (-5, b"\x00\x00\x00\x00"),
        (DAY_MS - 1, b"\x00\x00\x00\x00"),
        (DAY_MS, b"\x00\x00\x00\x01"),
        (256 * DAY_MS - 1, b"\x00\x00\x00\xff"),
        (256 * DAY_MS, b"\x00\x00\x01\x00"),
        # 2026-03-01 is day 20,513 of the epoch, 80 * 256 + 33.
        (1_772_366_400_000, b"\x00\x00\x50\x21"),
    ],
)
async def test_a_mark_stands_under_the_day_on_which_its_time_is_up(
    expires_at: int, day: bytes
) -> None:
    store = MemoryStore()
    said = msgspec.structs.replace(delivery(0xAB, expires_at), accepted_at=1, occurred_at=1)
    await SentLedger(store).mark(said, MARK)
    assert store.stored == {b"s" + day + SIXTEEN: SENT.encode(MARK)}


async def test_marks_are_in_the_order_of_their_days_and_forgotten_in_it() -> None:
    """From the last day of a byte to the first of the next, where another order would show."""
    store = MemoryStore()
    days = [1, 254, 255, 256, 257, 511, 512, 65_535, 65_536]
    sent = [delivery(number, day * DAY_MS) for number, day in enumerate(days)]
    ledger = SentLedger(store)
    for each in reversed(sent):
        await ledger.mark(each, MARK)
    stored = [key[5:] for key, _ in store.scan(SENT.prefix)]
    assert stored == [bytes.fromhex(each.delivery_id) for each in sent]
    for number, day in enumerate(days):
        ledger = SentLedger(store)
        ledger.forget(day * DAY_MS + SENT_KEPT_MS)
        left = {each.delivery_id for each in sent[number:]}
        assert set(ledger.find(sent)) == left, f"day {day}"


def test_a_timer_stands_under_its_kind_and_time_the_high_byte_first() -> None:
    store = MemoryStore()
    timers, view = Timers(store), View(TIMERS, store)
    row = Timer("t", "u", "n.0")
    digest = Timer("t", "u", "g")
    for at, timer in ((256, row), (255, row), (-1, row), (1 << 40, digest)):
        timers.add(view, at, timer)
    names = b"\x00\x01t\x00\x01u\x00\x03n.0"
    assert sorted(view.changes()) == [
        b"t0" + bytes(8) + names,
        b"t0" + bytes(7) + b"\xff" + names,
        b"t0" + bytes(6) + b"\x01\x00" + names,
        b"t1" + bytes(2) + b"\x01" + bytes(5) + b"\x00\x01t\x00\x01u\x00\x01g",
    ]


def test_an_inbox_is_in_the_order_of_acceptance() -> None:
    whose = key_of("t", "u")
    key = inbox_key(whose, 999, NAME)
    assert key == whose + b"\x00\x0d0000000000999\x00\x20" + NAME.encode()
    assert key < inbox_key(whose, 1000, NAME) < inbox_key(whose, 1_772_366_400_000, NAME)
    assert item_id(999, NAME) == f"0000000000999.{NAME}"
    assert key_of_item("t", "u", item_id(999, NAME)) == key


def test_an_outbox_is_in_reverse_order_and_ages_are_not() -> None:
    old, new = item_id(999, NAME), item_id(1000, NAME)
    outbox = key_of("t", "bob")
    assert post_key(outbox, old) == outbox + b"\x00\x2effffffffff666." + b"f" * 30 + b"54"
    assert post_key(outbox, new) < post_key(outbox, old)
    assert item_at(post_key(outbox, old)) == old
    assert age_key("t", "bob", old) < age_key("t", "bob", new)
    assert aged(age_key("t", "bob", old)) == ("t", "bob", old)


def test_a_frontier_is_eight_bytes_the_high_one_first() -> None:
    assert FRONTIER == b"\x00frontier/"
    assert OFFSET.pack(258) == bytes(6) + b"\x01\x02"


def test_a_deduplication_mark_is_46_bytes() -> None:
    mark = Mark(partition=3, offset=258, at=65_536, hours=24, body="0123456789abcdef")
    packed = remember(b"", b"ABCDEFGH", mark)
    assert packed == (
        b"ABCDEFGH"
        + bytes(5) + b"\x01\x00\x00"
        + bytes(6) + b"\x01\x02"
        + b"\x00\x00\x00\x03"
        + b"\x00\x18"
        + b"0123456789abcdef"
    )  # fmt: skip
    assert mark_of(packed, b"ABCDEFGH") == mark


async def test_a_spilled_mark_stands_under_the_day_on_which_its_window_ends() -> None:
    store, owner = MemoryStore(), b"o" * 16
    entry = remember(b"", b"ABCDEFGH", Mark(partition=3, offset=258, at=65_536, hours=24))
    transaction = Transaction(None, store, Outputs(MemoryLog(SystemClock())))
    spill(transaction, owner, ((256 * DAY_MS - 1, entry), (256 * DAY_MS, entry)))
    await transaction.commit()
    places = [b"D" + day + owner + b"ABCDEFGH" for day in (b"\0\0\0\xff", b"\0\0\1\0")]
    assert store.stored == dict.fromkeys(places, SPILLED.encode(entry))


@pytest.mark.parametrize(
    ("tables", "prefixes"),
    [
        (decider.TABLES, b"BDEMabcdefghijklnopqrstuvwxz"),
        (router.TABLES, b"Mbcefjkmruz"),
        ((INBOX, COUNTS, ERASED), b"inz"),
        (retry.TABLES, b"twz"),
        ((SENT,), b"s"),
    ],
)
def test_what_is_stored_under_which_byte(tables: tuple[Table[Any], ...], prefixes: bytes) -> None:
    """Those of one store differ; what is stored under one byte must stay there."""
    found = [table.prefix for table in tables]
    assert b"".join(sorted(found)) == prefixes
    assert len(set(found)) == len(found)
