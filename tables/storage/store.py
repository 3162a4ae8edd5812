"""State of one partition number: a RocksDB in front of a changelog partition in Kafka.

The changelog is the truth: a change is acknowledged there before it is in RocksDB, so a RocksDB
is only ever behind, and what it lacks is read from where it stopped. One that is behind for longer
than the changelog tells what was deleted is rebuilt. Who opens a store owns its changelog before
reading it: no write of a former owner can follow what is read.
"""

import asyncio
import contextlib
import shutil
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rocksdict import BlockBasedOptions, Options, Rdict, WriteBatch, WriteOptions

from pipeline.producing.fencing import OPENED, Fence
from pipeline.producing.outputs import NO_RECORDS, Log, Records
from pipeline.producing.write_queue import Entry
from schemas.errors import BrokenChangelog, Unavailable
from tables.storage.changelog_fold import Fold
from tables.storage.decoded_cache import Recent
from tables.storage.journal import NOTHING_TO_SEND, Journal, Unsent
from tables.storage.restore import Changelog
from tables.storage.state_memory import StateMemory, state_memory

FRONTIER = b"\x00frontier/"
"""Keys under which the frontiers stand, in the state and in the changelog alike."""
RESTORED = b"\x01restored"
"""How far into the changelog this RocksDB is, and since when (epoch seconds); of no meaning
elsewhere, so not in the changelog."""
OFFSET = struct.Struct(">Q")
DELETIONS_KEPT = 20 * 3600
"""Seconds for which a changelog is sure to tell what was deleted: Kafka lets go of that after a day
(`delete.retention.ms`), and reading takes a while."""

MARKED_EVERY = 3600.0
"""Seconds between two records that change nothing. Kafka closes a segment only when something is
written after it, and compacts closed ones: without them an erased value would stay for good in a
partition to which nobody writes any more."""
DAMAGED = ("Corruption", "No such file or directory")
"""What RocksDB says of files that are broken or gone: the changelog has it all, so start anew."""

Changes = Mapping[bytes, bytes | None]
"""What to store under which key; None deletes."""


class Store(Protocol):
    """State by key, as handlers read and write it."""

    recent: dict[bytes, Recent[Any]]
    """Decoded values that tables keep, by the table's prefix; only ever what is stored."""

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever stored in it, as far as can be seen; once it is restored."""
        ...

    async def restore(self) -> dict[str, int]:
        """Make it ready; the frontiers stored in it, by topic."""
        ...

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of these keys, None where there is none."""
        ...

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Every key from `prefix + start` on that begins with `prefix`, in order, with its value.

        Raises Unavailable at a damaged block, which must not be taken for the end.
        """
        ...

    async def write(
        self,
        changes: Changes,
        frontier: tuple[str, int] | None = None,
        outputs: Records = NO_RECORDS,
        later: Records = NO_RECORDS,
    ) -> Unsent:
        """Store these changes, how far their input topic is done, and what follows from them.

        All of it or nothing; on return it is in the changelog. Then the outputs are to be sent, and
        those that others are sent with `later`; with the numbers that this returns the store is
        told so.
        """
        ...

    async def sent(self, number: int | None) -> None:
        """All outputs of the write of this number are acknowledged."""
        ...

    def sent_later(self, number: int) -> None:
        """As `sent`, of what others were sent with."""
        ...

    async def note_sent(self, after: float) -> None:
        """Note in the changelog what was sent `after` seconds ago or earlier, if need be."""
        ...

    async def send_again(self, log: Log) -> None:
        """Send what is not recorded as sent by its writer; once, after the restore."""
        ...

    def drop_before(self, first: bytes, end: bytes) -> None:
        """Forget the keys from `first` up to `end`, in the state alone."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


class Journaled:
    """The half of a store that its journal does."""

    _journal: Journal

    async def write(
        self,
        changes: Changes,
        frontier: tuple[str, int] | None = None,
        outputs: Records = NO_RECORDS,
        later: Records = NO_RECORDS,
    ) -> Unsent:
        """Store these changes, how far their input topic is done, and what follows from them.

        All of it or nothing is in the state; on return it is in the changelog too.
        """
        entries = entries_of(changes, frontier)
        if not (entries or outputs or later):
            return NOTHING_TO_SEND
        return await self._journal.write(entries, outputs, later)

    async def sent(self, number: int | None) -> None:
        """All outputs of the write of this number are acknowledged."""
        await self._journal.sent(number)

    def sent_later(self, number: int) -> None:
        """As `sent`, of what others were sent with."""
        self._journal.sent_later(number)

    async def note_sent(self, after: float) -> None:
        """Note in the changelog what was sent `after` seconds ago or earlier, if need be."""
        await self._journal.note_sent(after)

    async def send_again(self, log: Log) -> None:
        """Send what is not recorded as sent by its writer; once, after the restore."""
        await self._journal.send_again(log)


class PartitionStore(Journaled):
    """The state of one role in one partition."""

    def __init__(
        self,
        folder: Path,
        changelog: Changelog,
        producer: Log,
        now: Callable[[], float] = time.time,
        marked_every: float = MARKED_EVERY,
        memory: StateMemory | None = None,
    ) -> None:
        self._folder = folder
        self._memory = memory or state_memory()
        self._now = now
        self._marked_every = marked_every
        self._marking: asyncio.Task[None] | None = None
        self._changelog = changelog
        self._producer = producer
        self._journal = Journal(self._append, self._store, self.get_many)
        self.recent: dict[bytes, Recent[Any]] = {}
        self._db: Any = None

    async def restore(self) -> dict[str, int]:
        """Open, read what the changelog has more, and return the frontiers by topic.

        Raises BrokenChangelog at a record that can't be read, Unavailable without disk or Kafka,
        Fenced where another opens it in the meantime.
        """
        self._db = _open(self._folder, self._memory)
        end = await self._take_over()
        if not await self._catch_up(end):
            self._close_files()
            shutil.rmtree(self._folder)
            self._db = _open(self._folder, self._memory)
            await self._catch_up(end)
        if end is not None:
            self._marking = asyncio.create_task(self._mark())
        return {key[len(FRONTIER) :].decode(): _offset(value) for key, value in self.scan(FRONTIER)}

    async def _take_over(self) -> int | None:
        """Own the changelog from here on; where it ended, if it has owners at all."""
        if not isinstance(self._producer, Fence):
            return None
        log = self._changelog
        end = await self._producer.open(log.topic, log.partition)
        log.check_end(self._restored()[0], end)
        return end

    async def _catch_up(self, end: int | None) -> bool:
        """Read what the changelog has more; False where that may lack what was deleted meanwhile.

        So it is where another worker held the partition for long, or after a kill where little
        is written: what is in no file yet is then days old.
        """
        start, since = self._restored()
        is_outdated = 0 < start != end and self._now() - since > DELETIONS_KEPT
        fold, at = Fold(), start
        async with contextlib.aclosing(self._changelog.changes_from(start)) as read:
            async for records, read_to in read:
                if is_outdated:
                    return False
                self._take(fold, records, at, read_to)
                at = read_to
        self._begin(fold, at)
        return True

    def _restored(self) -> tuple[int, int]:
        restored = self._open_db.get(RESTORED) or b""
        return _offset(restored[: OFFSET.size]), _offset(restored[OFFSET.size :])

    def _take(self, fold: Fold, records: Sequence[Entry], since: int, end: int) -> None:
        """Put what the changelog says between two offsets into the state."""
        try:
            changes = fold.take(records, since)
        except ValueError as error:
            raise self._unreadable(f"between {since} and {end}", error) from error
        self._store(changes, fold.restored(end))

    def _begin(self, fold: Fold, end: int) -> None:
        try:
            self._journal.begin(fold, end)
        except ValueError as error:
            raise self._unreadable(f"before {end}", error) from error

    def _unreadable(self, where: str, error: Exception) -> BrokenChangelog:
        return BrokenChangelog(
            f"{self._changelog.topic}-{self._changelog.partition} can't be read {where} ({error}). "
            "The restore stopped before it and nothing was processed; was the state written by a "
            "newer version of Tocsin?"
        )

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever stored: it is empty, and its changelog has lost nothing."""
        return not self._changelog.begins_at and all(k == RESTORED for k, _ in self.scan(b""))

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of these keys, None where there is none; raises Unavailable when damaged."""
        db = self._open_db
        try:
            return db.get(list(keys))  # type: ignore[no-any-return]
        except Exception as error:  # rocksdict raises bare Exception
            raise self._damaged(error) from error

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Every key that begins with `prefix`, with its value, in order of the keys.

        With `start`, those that are not before `prefix + start`.

        Raises Unavailable at a damaged block, which must not be taken for the end.
        """
        entries = self._open_db.iter()
        entries.seek(prefix + start)
        while entries.valid() and (key := entries.key()).startswith(prefix):
            yield key, entries.value()
            entries.next()
        try:
            entries.status()
        except Exception as error:  # rocksdict raises bare Exception
            raise self._damaged(error) from error

    async def _append(self, records: list[Entry]) -> int:
        topic, partition = self._changelog.topic, self._changelog.partition
        return await self._producer.write(topic, partition, records)

    async def _mark(self) -> None:
        """Write what owners begin with again and again, so that Kafka continues compacting."""
        while True:
            await asyncio.sleep(self._marked_every)
            with contextlib.suppress(Unavailable):  # of which the producer makes an end itself
                await self._journal.mark((OPENED, b""))

    def drop_before(self, first: bytes, end: bytes) -> None:
        """Forget the keys from `first` up to `end`; the changelog's own retention does as well.

        Not by RocksDB's time to live: as rocksdict 0.3.29 opens it, the first compaction drops
        all there is.
        """
        self._open_db.delete_range(first, end)

    def close(self) -> None:
        """Close the files, and release the changelog."""
        if self._marking is not None:
            self._marking.cancel()
        self._close_files()
        if isinstance(self._producer, Fence):
            self._producer.release(self._changelog.topic, self._changelog.partition)

    def _close_files(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(Exception):  # a damaged one refuses even that
                db.close()

    def _damaged(self, error: Exception) -> Unavailable:
        # Without its CURRENT it is no database, and the next start builds it from the changelog.
        (self._folder / "CURRENT").unlink(missing_ok=True)
        return Unavailable(
            f"The state in {self._folder} is damaged ({error}). Nothing was lost: the next start "
            "builds it again from the changelog."
        )

    @property
    def _open_db(self) -> Any:
        if self._db is None:
            raise RuntimeError(f"the store in {self._folder} is not open")
        return self._db

    def _store(self, changes: Iterable[tuple[Any, bytes | None]], restored: int) -> None:
        batch = WriteBatch(raw_mode=True)
        for key, value in changes:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(RESTORED, OFFSET.pack(restored) + OFFSET.pack(int(self._now())))
        try:
            self._open_db.write(batch)
        except Exception as error:  # rocksdict raises bare Exception
            raise Unavailable(
                f"The state folder {self._folder} can't be written ({error}). Nothing was lost: "
                "what is missing in it is read from the changelog at the next start."
            ) from error


def entries_of(changes: Changes, frontier: tuple[str, int] | None) -> list[Entry]:
    """Changes and a frontier as records of a changelog."""
    entries: list[Entry] = list(changes.items())
    if frontier is not None:
        entries.append((FRONTIER + frontier[0].encode(), OFFSET.pack(frontier[1])))
    return entries


def _offset(value: bytes | None) -> int:
    return int(OFFSET.unpack(value)[0]) if value else 0


def _open(folder: Path, memory: StateMemory) -> Rdict:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(8 << 20)
    options.set_max_write_buffer_number(3)
    # What a store takes as soon as something is written: a worker may have hundreds of them.
    options.set_arena_block_size(64 << 10)
    options.set_max_open_files(64)
    options.set_keep_log_file_num(1)
    blocks = BlockBasedOptions()
    memory.share(options, blocks)
    blocks.set_bloom_filter(10, False)
    options.set_block_based_table_factory(blocks)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        db = Rdict(str(folder), options)
        # The changelog is the log: after a crash what was not in a file yet is read from there.
        writing = WriteOptions()
        writing.disable_wal = True  # type: ignore[method-assign, assignment]  # it is no method
        db.set_write_options(writing)
        return db
    except OSError as error:
        raise Unavailable(
            f"The state folder {folder} can't be written ({error.strerror}). "
            "Nothing was processed; make it writable or set TOCSIN_DATA_DIR."
        ) from error
    except Exception as error:  # rocksdict raises bare Exception
        if any(sign in str(error) for sign in DAMAGED):
            shutil.rmtree(folder)
            return _open(folder, memory)  # the changelog is the truth
        raise Unavailable(
            f"The state in {folder} can't be opened ({error}). Nothing was processed; "
            "another worker may be running with this TOCSIN_DATA_DIR."
        ) from error
