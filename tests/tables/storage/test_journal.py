"""A write of any size is whole after a kill at any batch, and what was not sent is sent again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from pipeline.producing.outputs import Outputs, Records
from pipeline.producing.write_queue import Entry
from schemas.errors import BrokenChangelog, Unavailable
from schemas.topics import Topic
from tables.storage.journal_records import (
    Completion,
    encode,
    key_of_completion,
    key_of_outputs,
    key_of_part,
)
from tables.storage.store import FRONTIER, OFFSET, PartitionStore
from tables.storage.transaction import Transaction
from tests.tables.ground import NOTES, TOPIC, Ground, many_notes, notes
from tests.tables.storage.test_table import slice_to

OUT = Topic(name=TOPIC.name, key="", written_by="", read_by="")
BEFORE = notes({"000000": "old", "000001": "old", "other": "old"})
LARGE = notes({f"{number:06}": "x" * 1000 for number in range(9000)} | {"000001": None})
"""Nine megabytes, one key of which goes; a batch takes seven."""
TOKEN = b"a token."
BATCHES = 6
"""Three parts in two batches, that they are complete, the keys in two, and that they are done."""


@pytest.fixture(autouse=True)
def nobody_wrote_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test writes before the first owner comes, there is no former one to wait for."""
    monkeypatch.setattr("pipeline.producing.producer.TAKEOVER_SECONDS", 0.0)


@dataclass
class Recorded:
    """A log that keeps what is sent, and breaks where it is told to."""

    is_broken: bool = False
    sent: list[tuple[str, int, list[Entry]]] = field(default_factory=list)

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Take them."""
        if self.is_broken:
            raise Unavailable("killed")
        self.sent.append((topic, partition, entries))
        return 0


def rows(store: PartitionStore) -> dict[bytes, bytes]:
    """The notes that a store holds."""
    return dict(store.scan(NOTES.prefix))


@contextmanager
def dying_after(ground: Ground, batches: int) -> Iterator[None]:
    """The producer takes so many more batches."""
    ground.producer.dies_after = ground.producer.batches + batches
    yield
    ground.producer.dies_after = None


EXPECTED = {**{k: v for k, v in LARGE.items() if v}, b"nother": BEFORE[b"nother"]}


@pytest.mark.parametrize("batches", range(BATCHES + 1))
async def test_wherever_a_large_write_is_cut_short_all_or_nothing_is_there(
    ground: Ground, batches: int
) -> None:
    async with ground.open("db") as store:
        await store.write(BEFORE, ("events", 1))
        with dying_after(ground, batches):
            if batches < BATCHES:
                with pytest.raises(Unavailable):
                    await store.write(LARGE, ("events", 2))
            else:
                await store.write(LARGE, ("events", 2))
    is_there = batches >= 3
    # A worker with nothing on its disk, and the one whose disk has seen some of it.
    for folder in ("anew", "db"):
        async with ground.open(folder) as store:
            assert rows(store) == (EXPECTED if is_there else BEFORE)
            assert await ground.frontiers(f"{folder} too") == {"events": 2 if is_there else 1}
            log = Recorded()
            await store.send_again(log)
            assert log.sent == []
            assert rows(store) == (EXPECTED if is_there else BEFORE)
    # By now nothing is left in parts, and the keys themselves say all of it.
    final = dict(await ground.log())
    assert not [
        key for key, value in final.items() if (key or b"")[:1] in b"\x02\x03\x04" and value
    ]
    assert final[FRONTIER + b"events"] == OFFSET.pack(2 if is_there else 1)
    assert {k: v for k, v in final.items() if (k or b"")[:1] == b"n" and v} == (
        EXPECTED if is_there else BEFORE
    )


@pytest.mark.parametrize("size", [10, 8_000_000])
async def test_what_was_stored_and_not_sent_is_sent_by_whoever_comes_next(
    ground: Ground, size: int
) -> None:
    turn_log = Recorded(is_broken=True)
    async with ground.open() as store:
        transaction = Transaction(slice_to(30), store, Outputs(turn_log))
        transaction.view(NOTES).put(b"x", NOTES.decode(NOTES.encode(note("y"))))
        for _ in range(2):
            transaction.outputs.add(OUT, 7, b"key", b"v" * size)
        with pytest.raises(Unavailable, match="killed"):
            await transaction.commit()
    expected: Records = [(OUT.name, 7, [(b"key", b"v" * size)] * 2)]
    for folder in ("anew", "db"):
        async with ground.open(folder) as store:
            log = Recorded(is_broken=folder == "anew")
            if log.is_broken:
                with pytest.raises(Unavailable):
                    await store.send_again(log)
                continue
            assert rows(store).keys() == {b"nx"}
            await store.send_again(log)
            assert log.sent == expected
    async with ground.open("again") as store:
        log = Recorded()
        await store.send_again(log)
        assert log.sent == []
        assert rows(store).keys() == {b"nx"}


def note(text: str) -> object:
    """A value of NOTES."""
    return NOTES.decode(notes({"": text})[b"n"] or b"")


async def test_others_may_write_before_a_large_writes_outputs_are_sent(ground: Ground) -> None:
    """As a sink's lanes do; what they say of a key is newer."""
    async with ground.open() as store:
        unsent = await store.write(LARGE, None, [(OUT.name, 0, [(b"k", b"v")])])
        await store.write(notes({"000000": "newer", "000001": "newer", "000002": None}))
        newer = rows(store)
        await store.sent(unsent.now)
        assert rows(store) == newer
    assert newer[b"n000000"] == notes({"a": "newer"})[b"na"]
    for folder in ("anew", "db"):
        async with ground.open(folder) as store:
            assert rows(store) == newer


async def test_parts_that_another_write_left_behind_are_no_part_of_the_next(
    ground: Ground,
) -> None:
    async with ground.open() as store:
        with dying_after(ground, 1), pytest.raises(Unavailable):
            await store.write(LARGE)
    # The next has fewer parts, so that some of the first one's would stand behind them.
    small = dict(list(many_notes(megabytes=8).items())[:7_000])
    async with ground.open() as store:
        with dying_after(ground, 3), pytest.raises(Unavailable):
            await store.write(small)
    for folder in ("anew", "db"):
        async with ground.open(folder) as store:
            assert rows(store) == small


async def test_a_completed_write_without_its_parts_is_no_state(ground: Ground) -> None:
    await ground.append(key_of_part(0, 1), TOKEN + b"the second of two")
    await ground.append(key_of_completion(0), encode(Completion(TOKEN, 2)))
    with pytest.raises(BrokenChangelog, match=f"{ground.topic}-{ground.partition} can't be read"):
        await ground.contents("anew")


@pytest.mark.parametrize("key", [key_of_outputs(0), key_of_completion(0)])
async def test_records_of_our_own_that_cant_be_read_stop_the_restore(
    ground: Ground, key: bytes
) -> None:
    await ground.append(key, b"\xc1")
    with pytest.raises(BrokenChangelog, match=f"{ground.topic}-{ground.partition} can't be read"):
        await ground.contents("anew")
