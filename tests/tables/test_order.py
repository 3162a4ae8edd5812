"""The order in which a slice becomes durable, seen through acknowledgements that are held back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from pipeline.errors import Unavailable
from pipeline.outputs import Outputs
from pipeline.topics import Topic
from tables.in_hand import IN_HAND, NOTE, in_hand_of
from tables.restore import Changelog
from tables.sent import SENT, SentLedger
from tables.store import FRONTIER, PartitionStore
from tables.table import Table
from tables.turn import Turn
from tests.pipeline.gate import GatedLog, settled
from tests.tables.test_sent import MARK, delivery
from tests.tables.test_table import slice_to

COUNTS: Table[int] = Table(b"c", int, kept=10)
OUT = Topic(name="out", key="", written_by="", read_by="")
STATE = ("changelog", 3)
SEVEN = COUNTS.encode(7)
STORED = {b"cx": SEVEN, FRONTIER + b"events": (30).to_bytes(8, "big")}
"""What the turn below leaves: a value, and that `events` is done up to 30."""


class NewChangelog(Changelog):
    """A changelog in which nothing stands yet."""

    async def changes_from(
        self, offset: int
    ) -> AsyncGenerator[tuple[dict[bytes, bytes | None], int], None]:
        """Nothing."""
        nothing: tuple[dict[bytes, bytes | None], int]
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


def turn_on(store: PartitionStore, log: GatedLog) -> Turn:
    """A slice up to 30 with two outputs and one value to store."""
    slice_ = slice_to(30)
    turn = Turn(slice_, store, Outputs(log), in_hand_of(slice_, 1))
    turn.view(COUNTS).put(b"x", 7)
    turn.outputs.add(OUT, 0, b"one", b"1")
    turn.outputs.add(OUT, 1, b"two", b"2")
    return turn


async def test_each_write_waits_until_the_one_before_it_is_acknowledged(
    store: PartitionStore, log: GatedLog
) -> None:
    turn = turn_on(store, log)
    finishing = asyncio.create_task(turn.finish())
    # What is in hand, before any output.
    (note,) = await log.next()
    assert (note.place, note.keys) == (STATE, [NOTE])
    assert stored(store) == {}
    note.acknowledge()
    # Every output, before any state; and the last acknowledgement counts, not the first.
    one, two = await log.next(2)
    assert {one.place: one.keys, two.place: two.keys} == {
        ("out", 0): [b"one"],
        ("out", 1): [b"two"],
    }
    two.acknowledge()
    await log.nothing()
    assert stored(store).keys() == {NOTE}
    one.acknowledge()
    # State and frontier at once, and the note goes with them; before RocksDB, before the return.
    (state,) = await log.next()
    assert (state.place, state.keys) == (STATE, [b"cx", NOTE, FRONTIER + b"events"])
    assert dict(state.entries) == {**STORED, NOTE: None}
    await settled()
    assert stored(store).keys() == {NOTE}
    assert store.recent[COUNTS.prefix].young == {}
    assert not finishing.done()
    state.acknowledge()
    await finishing
    assert stored(store) == STORED
    assert store.recent[COUNTS.prefix].young == {b"x": 7}
    assert log.begun == 4


@pytest.mark.parametrize("fails", [1, 2, 3, 4])
async def test_what_is_not_acknowledged_ends_it_there(
    store: PartitionStore, log: GatedLog, fails: int
) -> None:
    """The note is the first, the outputs are the second and third, the state is the fourth."""
    finishing = asyncio.create_task(turn_on(store, log).finish())
    for number in range(1, fails + 1):
        if number == 2:
            writes = await log.next(2)
        elif number != 3:
            writes = await log.next()
        write = writes.pop(0)
        if number == fails:
            write.fail()
        else:
            write.acknowledge()
    with pytest.raises(Unavailable):
        await finishing
    await log.nothing()
    assert stored(store).keys() == (set() if fails == 1 else {NOTE})
    assert store.recent[COUNTS.prefix].young == {}


@pytest.mark.parametrize("before_state", [True, False])
async def test_nothing_is_written_of_what_was_given_up_meanwhile(
    store: PartitionStore, log: GatedLog, before_state: bool
) -> None:
    """As when a partition is taken away and its slice does not finish within the grace."""
    finishing = asyncio.create_task(turn_on(store, log).finish())
    (note,) = await log.next()
    note.acknowledge()
    late = await log.next(2)
    if not before_state:
        for write in late:
            write.acknowledge()
        late = await log.next()
    finishing.cancel()
    await asyncio.gather(finishing, return_exceptions=True)
    for write in late:
        write.acknowledge()
    await log.nothing()
    assert stored(store).keys() == {NOTE}


async def test_what_tells_nothing_stores_at_once(store: PartitionStore, log: GatedLog) -> None:
    turn = Turn(slice_to(30), store, Outputs(log))
    turn.view(COUNTS).put(b"x", 7)
    finishing = asyncio.create_task(turn.finish())
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


def test_a_note_has_a_prefix_of_its_own() -> None:
    assert NOTE == IN_HAND.prefix == b"w"
