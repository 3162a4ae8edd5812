"""A state that was left behind for long is built anew: its changelog lacks what was deleted."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from agents.replay.in_memory_pipeline import HeldClock
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.write_queue import Entry
from tables.storage.restore import Changelog
from tables.storage.store import DELETIONS_KEPT, PartitionStore
from tables.storage.table import checker
from tests.tables.ground import NOTES, TOPIC, notes


class Compacted(Changelog):
    """A changelog in memory that Kafka compacts when a test says so."""

    def __init__(self) -> None:
        super().__init__("", TOPIC.name, 0, checker(NOTES))
        self.read_from: list[int] = []
        self._log = MemoryLog(HeldClock())
        self._gone: set[int] = set()

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """As the producer does it."""
        return await self._log.write(topic, partition, entries)

    async def changes_from(self, offset: int) -> AsyncGenerator[tuple[list[Entry], int], None]:
        """Record by record."""
        self.read_from.append(offset)
        for record in self._log.topics[self.topic][offset:]:
            if record.offset not in self._gone and record.key is not None:
                yield [(record.key, record.value)], record.offset + 1

    def compact(self) -> None:
        """Keep the last of each key, and of what was deleted long ago nothing."""
        records = self._log.topics[self.topic]
        last = {record.key: record for record in records}
        self._gone = {r.offset for r in records if last[r.key] is not r or r.value is None}


class Worlds:
    """Workers with a folder each, which hold one partition in turn."""

    def __init__(self, folder: Path) -> None:
        self.changelog = Compacted()
        self.now = 1_773_480_413.0
        self._folder = folder

    async def work(self, name: str, **texts: str | None) -> dict[bytes, bytes]:
        """A worker restores, writes and ends; what it held."""
        log = self.changelog
        store = PartitionStore(self._folder / name, log, log, now=lambda: self.now)
        await store.restore()
        await store.write(notes(texts))
        held = dict(store.scan(NOTES.prefix))
        store.close()
        return held


@pytest.fixture
def worlds(tmp_path: Path) -> Worlds:
    return Worlds(tmp_path)


async def test_what_another_worker_deleted_does_not_come_back(worlds: Worlds) -> None:
    await worlds.work("one", a="erased", b="kept")
    await worlds.work("two", a=None, c="new")
    worlds.now += 2 * DELETIONS_KEPT
    worlds.changelog.compact()
    held = await worlds.work("one")
    assert held == await worlds.work("anew") == notes({"b": "kept", "c": "new"})


async def test_the_only_one_that_there_was_does_not_come_back_either(worlds: Worlds) -> None:
    await worlds.work("one", a="erased")
    await worlds.work("two", a=None, b="new")
    worlds.now += 2 * DELETIONS_KEPT
    worlds.changelog.compact()
    assert await worlds.work("one") == notes({"b": "new"})


async def test_what_lacks_little_or_nothing_is_not_built_anew(worlds: Worlds) -> None:
    await worlds.work("one", a="x")
    await worlds.work("two", b="y")
    worlds.now += DELETIONS_KEPT
    await worlds.work("one", c="z")
    worlds.now += 100 * DELETIONS_KEPT
    assert await worlds.work("one") == notes({"a": "x", "b": "y", "c": "z"})
    assert worlds.changelog.read_from == [0, 0, 1, 3]
