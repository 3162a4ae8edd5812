"""What a store writes to its changelog: in an order that leaves all or nothing after a crash.

A batch is one write: its state, its frontier and the outputs that follow from it. Only then are
the outputs sent, and that they were is noted in the next write. A successor sends again, byte for
byte, what isn't noted.

What one batch of the producer can't hold is written as a redo log: first the parts, then that they
are complete, and once the outputs were sent the keys of the state, and at last that the parts are
of no use any more. Parts under the keys of the state would not do: compaction keeps what an
incomplete write has said, and deletes what was said before it.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

from pipeline.producing.outputs import Log, Records, send
from pipeline.producing.producer import BATCH_BYTES
from pipeline.producing.write_queue import Entry, size_of
from tables.storage.changelog_fold import Fold, Unfinished
from tables.storage.journal_records import (
    TOKEN_BYTES,
    Completion,
    LargeWrite,
    cut,
    encode,
    key_of_completion,
    key_of_outputs,
    key_of_part,
)

MOST_BYTES = BATCH_BYTES - (64 << 10)
"""Of one write; a larger one is cut into parts of half of that."""

Append = Callable[[list[Entry]], Awaitable[int]]
"""Appends records to the changelog, as one batch if they fit into one; the offset after them."""
Apply = Callable[[Iterable[Entry], int], None]
"""Changes the state, and with it from which offset on a restore must read the changelog."""
Read = Callable[[Sequence[bytes]], list[bytes | None]]
"""The values of keys in the state."""


class Journal:
    """The writing half of a partition store."""

    def __init__(
        self, append: Append, apply: Apply, read: Read, most_bytes: int = MOST_BYTES
    ) -> None:
        self._append = append
        self._apply = apply
        self._read = read
        self._most_bytes = most_bytes
        self._writing = asyncio.Lock()
        self._end = 0
        self._unfinished: dict[int, Unfinished] = {}
        self._sent: dict[int, float] = {}
        self._void: list[bytes] = []

    def begin(self, fold: Fold, end: int) -> None:
        """Go on where a predecessor ended: with what was read up to `end`.

        Raises ValueError where that is no state that a crash leaves.
        """
        self._end, self._unfinished = end, dict(fold.unfinished)
        self._void, self._sent = fold.void_parts(), {}

    async def send_again(self, log: Log) -> None:
        """Send what a predecessor may not have sent, and note it, before anything else is done."""
        for number, batch in list(self._unfinished.items()):
            await send(log, batch.outputs)
            await self.sent(number)
        await self.note_sent(0)

    async def write(self, changes: list[Entry], outputs: Records) -> int | None:
        """Write changes of state and what is to be sent; a number to say so with once it is.

        All of it or nothing is in the changelog; on return all is, and in the state too. Nothing
        may be sent before, and everything must be sent after, by this process or its successor.
        """
        async with self._writing:
            number = next(n for n in range(len(self._unfinished) + 1) if self._is_free(n))
            since, notes = self._end, self._take_notes()
            records = [*changes]
            if outputs:
                records.append((key_of_outputs(number), encode(outputs)))
            is_large = size_of(records) + size_of(notes) > self._most_bytes
            if is_large:
                parts = await self._write_parts(number, LargeWrite(changes, outputs), notes)
                keys = tuple(key for key, _ in changes if key is not None)
                self._unfinished[number] = Unfinished(since, outputs, parts, keys)
            else:
                # What is used again at once need not be emptied before.
                notes = [note for note in notes if note[0] != records[-1][0]]
                self._end = await self._append([*notes, *records])
                if outputs:
                    self._unfinished[number] = Unfinished(since, outputs)
            self._apply(changes, self._restored())
            if is_large and not outputs:
                await self._take_parts_back(number)
            return number if outputs else None

    async def sent(self, number: int | None) -> None:
        """Every output of the write of this number is acknowledged."""
        if number is None:
            return
        if not self._unfinished[number].parts:
            self._sent[number] = time.monotonic()
            return
        async with self._writing:
            await self._take_parts_back(number)

    async def note_sent(self, after: float) -> None:
        """Note what was sent `after` seconds ago or earlier, if no write has done so since."""
        async with self._writing:
            until = time.monotonic() - after
            if any(at <= until for at in self._sent.values()) or (self._void and not after):
                self._end = await self._append(self._take_notes())
                self._apply((), self._restored())

    async def mark(self, record: Entry) -> None:
        """Append a record that changes no state, when it is its turn."""
        async with self._writing:
            self._end = await self._append([record])
            self._apply((), self._restored())

    def _is_free(self, number: int) -> bool:
        return number not in self._unfinished or number in self._sent

    def _take_notes(self) -> list[Entry]:
        """What the next write says of those before it; where it fails, the process ends."""
        keys = [*map(key_of_outputs, self._sent), *self._void]
        for number in self._sent:
            del self._unfinished[number]
        self._sent, self._void = {}, []
        return [(key, None) for key in keys]

    def _restored(self) -> int:
        return min([self._end, *(each.since for each in self._unfinished.values())])

    async def _write_parts(self, number: int, write: LargeWrite, notes: list[Entry]) -> int:
        token = secrets.token_bytes(TOKEN_BYTES)
        parts = cut(write, token, self._most_bytes // 2)
        # Before the parts, as parts of a predecessor that are taken back may have the same keys.
        await self._append(
            [*notes, *((key_of_part(number, at), part) for at, part in enumerate(parts))]
        )
        # Not before the parts are acknowledged: complete without them would be no state at all.
        done = encode(Completion(token, len(parts)))
        self._end = await self._append([(key_of_completion(number), done)])
        return len(parts)

    async def _take_parts_back(self, number: int) -> None:
        """Write the state of a large write under its own keys, and take the parts back.

        By what the keys hold now: others may have been written since. A crash in between leaves
        the parts, and they are taken back again.
        """
        batch = self._unfinished[number]
        if batch.keys:
            await self._append(list(zip(batch.keys, self._read(batch.keys), strict=True)))
        parts: list[Entry] = [(key_of_part(number, at), None) for at in range(batch.parts)]
        self._end = await self._append([(key_of_completion(number), None), *parts])
        del self._unfinished[number]
        self._apply((), self._restored())
