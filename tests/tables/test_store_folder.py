"""What a state has on its disk, over a changelog in memory: little, and never more than it says."""

import asyncio
import random
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from pipeline.producing.fencing import OPENED
from pipeline.producing.write_queue import Entry
from schemas.errors import BrokenChangelog, Unavailable
from tables.storage.store import RESTORED, PartitionStore
from tests.tables.ground import NOTES, TOPIC, notes
from tests.tables.test_outdated import Compacted
from tests.virtual_time import in_virtual_time

HOUR = 3600
NOW = 1_773_480_413.7


class Owned(Compacted):
    """A changelog in memory whose owners are told apart."""

    def __init__(self) -> None:
        super().__init__()
        self.released: list[tuple[str, int]] = []
        self.is_away = False

    async def open(self, topic: str, partition: int) -> int:
        """Nobody else is there."""
        assert (topic, partition) == (TOPIC.name, 0)
        return len(self._log.topics[topic])

    def release(self, topic: str, partition: int) -> None:
        """Note it."""
        self.released.append((topic, partition))

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """As the producer does it."""
        if self.is_away:
            raise Unavailable("no broker answers")
        return await super().write(topic, partition, entries)

    async def changes_from(self, offset: int) -> AsyncGenerator[tuple[list[Entry], int], None]:
        """What owners begin with is no change."""
        async for records, end in super().changes_from(offset):
            yield [entry for entry in records if entry[0] != OPENED], end

    @property
    def opened(self) -> int:
        """How often an owner said that it is there."""
        return sum(record.key == OPENED for record in self._log.topics[TOPIC.name])


def store_on(folder: Path, log: Compacted) -> PartitionStore:
    return PartitionStore(folder, log, log, now=lambda: NOW)


@in_virtual_time
async def test_an_owner_writes_something_every_hour_until_it_ends(tmp_path: Path) -> None:
    """Kafka compacts a segment only once something is written behind it."""
    log = Owned()
    store = store_on(tmp_path / "db", log)
    await store.restore()
    await store.write(notes({"a": "x"}))
    await asyncio.sleep(HOUR - 1)
    assert log.opened == 0
    await asyncio.sleep(2)
    assert log.opened == 1
    log.is_away = True
    await asyncio.sleep(HOUR)
    log.is_away = False
    await asyncio.sleep(2 * HOUR)
    # One that can't be written is left out, and the next ones go on.
    assert log.opened == 3
    assert log.released == []
    store.close()
    assert log.released == [(TOPIC.name, 0)]
    await asyncio.sleep(3 * HOUR)
    assert log.opened == 3
    # They change nothing, and a restore need not read them again.
    again = store_on(tmp_path / "db", log)
    await again.restore()
    assert dict(again.scan(NOTES.prefix)) == notes({"a": "x"})
    assert log.read_from == [0, 4]
    again.close()


@in_virtual_time
async def test_where_there_are_no_owners_nothing_is_written_by_itself(tmp_path: Path) -> None:
    log = Compacted()
    store = store_on(tmp_path / "db", log)
    await store.restore()
    await asyncio.sleep(3 * HOUR)
    assert log._log.topics[TOPIC.name] == []
    store.close()


async def test_how_far_it_is_stands_where_the_last_release_looks_for_it(tmp_path: Path) -> None:
    """Else each would read the whole changelog once more after an upgrade, or a step back."""
    log = Compacted()
    store = store_on(tmp_path / "db", log)
    await store.restore()
    await store.write(notes({"a": "x", "b": "y", "c": None}))
    expected = (3).to_bytes(8, "big") + (1_773_480_413).to_bytes(8, "big")
    assert RESTORED == b"\x01restored"
    assert store.get_many([b"\x01restored"]) == [expected]
    store.close()


@pytest.mark.parametrize(
    ("begins_at", "is_written", "is_new"), [(0, False, True), (5, False, False), (0, True, False)]
)
async def test_a_state_is_new_while_nothing_was_stored_or_lost(
    tmp_path: Path, begins_at: int, is_written: bool, is_new: bool
) -> None:
    log = Compacted()
    store = store_on(tmp_path / "db", log)
    await store.restore()
    log.begins_at = begins_at
    await store.write(notes({"a": "x"}) if is_written else {})
    assert store.is_new is is_new
    store.close()


async def test_its_changelog_is_its_only_log_and_small_writes_stay_in_memory(
    tmp_path: Path,
) -> None:
    """Each write to a log of RocksDB's own would be one more to the disk, and each small file one
    more to be compacted."""
    log, folder, noise = Compacted(), tmp_path / "db", random.Random(1)
    store = store_on(folder, log)
    await store.restore()
    for number in range(40):
        await store.write(notes({f"{number}": noise.randbytes(50_000).hex()}))
    assert sum(path.stat().st_size for path in folder.glob("*.log")) == 0
    assert list(folder.glob("*.sst")) == []
    store.close()
    assert len(list(folder.glob("*.sst"))) == 1


async def test_one_that_was_not_restored_says_that_it_is_not_open(tmp_path: Path) -> None:
    store = store_on(tmp_path / "db", Compacted())
    with pytest.raises(RuntimeError, match="is not open"):
        store.get_many([b"na"])
    store.close()


async def test_the_folders_around_it_need_not_be_there(tmp_path: Path) -> None:
    log, folder = Compacted(), tmp_path / "data" / "decider" / "0"
    for _ in range(2):
        store = store_on(folder, log)
        await store.restore()
        await store.write(notes({"a": "x"}))
        store.close()
    assert folder.is_dir()


async def filled(folder: Path, log: Compacted) -> dict[bytes, bytes]:
    """A state of some files' blocks; what it holds."""
    noise = random.Random(1)
    store = store_on(folder, log)
    await store.restore()
    await store.write(notes({f"{n:05}": noise.randbytes(300).hex() for n in range(3000)}))
    held = dict(store.scan(NOTES.prefix))
    store.close()
    return held


@pytest.mark.parametrize("is_scan", [True, False])
async def test_a_state_that_is_found_damaged_is_built_anew_at_the_next_start(
    tmp_path: Path, is_scan: bool
) -> None:
    log, folder = Compacted(), tmp_path / "db"
    held = await filled(folder, log)
    (file,) = folder.glob("*.sst")
    content = bytearray(file.read_bytes())
    for at in range(len(content) // 4, len(content) // 2, 1000):
        content[at] ^= 0xFF
    file.write_bytes(bytes(content))

    def read(store: PartitionStore) -> object:
        return list(store.scan(NOTES.prefix)) if is_scan else store.get_many(list(held))

    store = store_on(folder, log)
    await store.restore()
    with pytest.raises(Unavailable, match=r"is damaged .* Nothing was lost: the next start"):
        read(store)
    # As when another lane reads on before the process ends.
    with pytest.raises(Unavailable, match="is damaged"):
        read(store)
    store.close()
    again = store_on(folder, log)
    await again.restore()
    assert dict(again.scan(NOTES.prefix)) == held
    again.close()
    assert log.read_from == [0, 3000, 0]


async def test_a_folder_that_goes_while_it_is_open_does_not_keep_it_from_closing(
    tmp_path: Path,
) -> None:
    log, folder = Owned(), tmp_path / "db"
    store = store_on(folder, log)
    await store.restore()
    await store.write(notes({"a": "x"}))
    shutil.rmtree(folder)
    store.close()
    assert log.released == [(TOPIC.name, 0)]
    again = store_on(folder, log)
    await again.restore()
    assert dict(again.scan(NOTES.prefix)) == notes({"a": "x"})
    again.close()


async def test_a_record_of_the_journal_that_cant_be_read_is_told_with_its_place(
    tmp_path: Path,
) -> None:
    log = Compacted()
    await log.write(TOPIC.name, 0, [(b"na", b"\x91\xa1x"), (b"\x02\x00\x00", b"\xc1")])
    with pytest.raises(BrokenChangelog, match=f"{TOPIC.name}-0 can't be read between 1 and 2 "):
        await store_on(tmp_path / "db", log).restore()
