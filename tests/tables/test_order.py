"""The order in which a slice becomes durable, seen through acknowledgements that are held back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from pipeline.producing.outputs import Outputs
from pipeline.producing.write_queue import Entry
from schemas.errors import Unavailable
from schemas.topics import DELIVERY_EVENTS, Topic
from tables.sent import SENT, SentLedger
from tables.storage.journal_records import encode, key_of_outputs
from tables.storage.restore import Changelog
from tables.storage.store import FRONTIER, PartitionStore
from tables.storage.table import Table
from tables.storage.transaction import Transaction
from tests.pipeline.gate import GatedLog, GatheringGate, settled
from tests.tables.storage.test_table import slice_to
from tests.tables.test_sent import MARK, delivery

COUNTS: Table[int] = Table(b"c", int, kept=10)
OUT = Topic(name="out", key="", written_by="", read_by="")
STATE = ("changelog", 3)
SEVEN = COUNTS.encode(7)
STORED = {b"cx": SEVEN, FRONTIER + b"events": (30).to_bytes(8, "big")}
"""What the transaction below leaves: a value, and that `events` is done up to 30."""


TO_SEND = key_of_outputs(0)


class NewChangelog(Changelog):
    """A changelog in which nothing stands yet."""

    async def changes_from(self, offset: int) -> AsyncGenerator[tuple[list[Entry], int], None]:
        """Nothing."""
        nothing: tuple[list[Entry], int]
        for nothing in ():
            yield nothing


@pytest.fixture
def log() -> GatedLog:
    return GatedLog()


@pytest.fixture
async def store(tmp_path: Path, log: GatedLog) -> AsyncIterator[PartitionStore]:
    changelog = NewChangelog("", *STATE, lambda key, value: None)
    opened = PartitionStore(tmp_path / "db", changelog, log)
    await opened.restore()
    yield opened
    opened.close()


def stored(store: PartitionStore) -> dict[bytes, bytes]:
    """All that is in RocksDB, but for how far into the changelog it is."""
    return {key: value for key, value in store.scan(b"") if not key.startswith(b"\x01")}


def turn_on(store: PartitionStore, log: GatedLog) -> Transaction:
    """A slice up to 30 with two outputs and one value to store."""
    slice_ = slice_to(30)
    transaction = Transaction(slice_, store, Outputs(log))
    transaction.view(COUNTS).put(b"x", 7)
    transaction.outputs.add(OUT, 0, b"one", b"1")
    transaction.outputs.add(OUT, 1, b"two", b"2")
    return transaction


async def test_each_write_waits_until_the_one_before_it_is_acknowledged(
    store: PartitionStore, log: GatedLog
) -> None:
    finishing = asyncio.create_task(turn_on(store, log).commit())
    # State, frontier and what is to be sent, at once and before anything else.
    (state,) = await log.next()
    assert (state.place, state.keys) == (STATE, [b"cx", FRONTIER + b"events", TO_SEND])
    assert dict(state.entries) == {
        **STORED,
        TO_SEND: encode([("out", 0, [(b"one", b"1")]), ("out", 1, [(b"two", b"2")])]),
    }
    await settled()
    assert stored(store) == {}
    assert store.recent[COUNTS.prefix].young == {}
    state.acknowledge()
    # Every output; and the last acknowledgement counts, not the first.
    one, two = await log.next(2)
    assert stored(store) == STORED
    assert store.recent[COUNTS.prefix].young == {b"x": 7}
    assert {one.place: one.entries, two.place: two.entries} == {
        ("out", 0): [(b"one", b"1")],
        ("out", 1): [(b"two", b"2")],
    }
    two.acknowledge()
    await log.nothing()
    assert not finishing.done()
    one.acknowledge()
    await finishing
    assert log.begun == 3


async def test_that_it_was_sent_is_noted_with_the_next_write(
    store: PartitionStore, log: GatedLog
) -> None:
    await finished(turn_on(store, log), log, 3)
    writing = asyncio.create_task(store.write({b"cy": SEVEN}))
    (write,) = await log.next()
    assert write.entries == [(TO_SEND, None), (b"cy", SEVEN)]
    write.acknowledge()
    await writing
    await store.note_sent(0)
    await log.nothing()


async def test_what_is_sent_next_takes_its_place(store: PartitionStore, log: GatedLog) -> None:
    await finished(turn_on(store, log), log, 3)
    transaction = turn_on(store, log)
    finishing = asyncio.create_task(transaction.commit())
    (write,) = await log.next()
    assert write.keys == [b"cx", FRONTIER + b"events", TO_SEND]
    finishing.cancel()


async def test_what_is_not_sent_yet_keeps_its_place(store: PartitionStore, log: GatedLog) -> None:
    """As where a sink's lanes write at the same time."""
    first = asyncio.create_task(turn_on(store, log).commit())
    (write,) = await log.next()
    write.acknowledge()
    late = await log.next(2)
    second = asyncio.create_task(turn_on(store, log).commit())
    (write,) = await log.next()
    assert write.keys[-1] == key_of_outputs(1)
    write.acknowledge()
    for each in (*late, *await log.next(2)):
        each.acknowledge()
    await asyncio.gather(first, second)
    noting = asyncio.create_task(store.note_sent(0))
    (write,) = await log.next()
    assert sorted(write.entries) == [(TO_SEND, None), (key_of_outputs(1), None)]
    write.acknowledge()
    await noting


async def test_what_was_sent_a_moment_ago_is_not_noted_by_itself_yet(
    store: PartitionStore, log: GatedLog
) -> None:
    await finished(turn_on(store, log), log, 3)
    await store.note_sent(3600)
    await log.nothing()


async def finished(transaction: Transaction, log: GatedLog, writes: int) -> None:
    """The turn, with each of its writes acknowledged."""
    finishing = asyncio.create_task(transaction.commit())
    while writes:
        await settled()
        for write in log.take():
            write.acknowledge()
            writes -= 1
    await finishing


@pytest.mark.parametrize("fails", [1, 2, 3])
async def test_what_is_not_acknowledged_ends_it_there(
    store: PartitionStore, log: GatedLog, fails: int
) -> None:
    """The state is the first, the outputs are the second and third."""
    finishing = asyncio.create_task(turn_on(store, log).commit())
    writes = await log.next()
    if fails > 1:
        writes[0].acknowledge()
        writes = await log.next(2)
    for number, write in enumerate(writes, 1 if fails == 1 else 2):
        if number == fails:
            write.fail()
        else:
            write.acknowledge()
    with pytest.raises(Unavailable):
        await finishing
    await log.nothing()
    assert stored(store) == ({} if fails == 1 else STORED)
    # Not as sent: who takes over sends it again.
    await store.note_sent(0)
    await log.nothing()


async def test_nothing_is_sent_of_what_was_given_up_before_it_was_stored(
    store: PartitionStore, log: GatedLog
) -> None:
    """As when a partition is taken away and its slice does not finish within the grace."""
    finishing = asyncio.create_task(turn_on(store, log).commit())
    (late,) = await log.next()
    finishing.cancel()
    await asyncio.gather(finishing, return_exceptions=True)
    late.acknowledge()
    await log.nothing()
    assert stored(store) == {}


async def test_what_tells_nothing_stores_at_once(store: PartitionStore, log: GatedLog) -> None:
    transaction = Transaction(slice_to(30), store, Outputs(log))
    transaction.view(COUNTS).put(b"x", 7)
    finishing = asyncio.create_task(transaction.commit())
    (state,) = await log.next()
    assert dict(state.entries) == STORED
    state.acknowledge()
    await finishing
    assert stored(store) == STORED


async def test_writes_of_one_store_are_acknowledged_one_after_the_other(
    store: PartitionStore, log: GatedLog
) -> None:
    """Else RocksDB could say of how far it is what a later write says, and lack the earlier."""
    writing = asyncio.gather(*(store.write({key: SEVEN}) for key in (b"ca", b"cb")))
    (first,) = await log.next()
    first.acknowledge()
    (second,) = await log.next()
    assert stored(store) == {b"ca": SEVEN}
    second.acknowledge()
    await writing
    assert stored(store) == {b"ca": SEVEN, b"cb": SEVEN}


async def test_a_mark_is_there_when_the_changelog_has_it_and_no_sooner(
    store: PartitionStore, log: GatedLog
) -> None:
    ledger, sent = SentLedger(store), delivery(1)
    marking = asyncio.create_task(ledger.mark(sent, MARK))
    (write,) = await log.next()
    assert write.place == STATE
    assert [value for _, value in write.entries] == [SENT.encode(MARK)]
    await settled()
    assert not marking.done()
    assert ledger.find([sent]) == {}
    write.acknowledge()
    await marking
    assert ledger.find([sent]) == {sent.delivery_id: MARK}


async def test_a_slice_does_not_wait_for_what_analysts_are_told(
    store: PartitionStore, log: GatedLog
) -> None:
    """The changelog has it; it is told when frontiers are committed, and then noted as sent."""
    gate = GatheringGate()
    transaction = Transaction(slice_to(30), store, Outputs(gate))
    transaction.outputs.add(OUT, 0, b"k", b"v")
    transaction.outputs.add(DELIVERY_EVENTS, 0, None, b"row")
    finishing = asyncio.create_task(transaction.commit())
    (state,) = await log.next()
    assert [key for key, _ in state.entries[1:]] == [key_of_outputs(0), key_of_outputs(1)]
    state.acknowledge()
    (sent,) = await gate.next()
    assert sent.place == ("out", 0)
    sent.acknowledge()
    await finishing
    await gate.nothing()
    assert await noted(store, log) == [key_of_outputs(0)]
    flushing = asyncio.create_task(gate.flush())
    (told,) = await gate.next()
    assert told.entries == [(None, b"row")]
    assert await noted(store, log) == []
    told.acknowledge()
    await flushing
    assert await noted(store, log) == [key_of_outputs(1)]


async def test_what_is_due_by_the_clock_is_told_at_once(
    store: PartitionStore, log: GatedLog
) -> None:
    """No frontier moves by it, so nobody could tell from outside that something is to come."""
    gate = GatheringGate()
    transaction = Transaction(None, store, Outputs(gate))
    transaction.outputs.add(DELIVERY_EVENTS, 0, None, b"row")
    finishing = asyncio.create_task(transaction.commit())
    (state,) = await log.next()
    assert state.keys == [key_of_outputs(0)]
    state.acknowledge()
    (told,) = await gate.next()
    assert told.entries == [(None, b"row")]
    await settled()
    assert not finishing.done()
    told.acknowledge()
    await finishing


async def noted(store: PartitionStore, log: GatedLog) -> list[bytes | None]:
    """What the changelog now says was sent, by the keys under which it stood."""
    noting = asyncio.create_task(store.note_sent(0))
    await settled()
    found = []
    for write in log.take():
        assert {value for _, value in write.entries} == {None}
        found += write.keys
        write.acknowledge()
    await noting
    return found
