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
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

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


class Unsent(NamedTuple):
    """By which numbers it is told that the outputs of a write were sent; None where there are none.

    `later` are those that others are sent with; where `now` is of all of them, it is None.
    """

    now: int | None = None
    later: int | None = None


NOTHING_TO_SEND = Unsent()


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

    async def write(self, changes: list[Entry], outputs: Records, later: Records) -> Unsent:
        """Write changes of state and what is to be sent; numbers to say so with once it is.

        All of it or nothing is in the changelog; on return all is, and in the state too. Nothing
        may be sent before, and everything must be sent after, by this process or its successor.
        What is sent `later` has a number of its own, so that nobody sends the rest again with it.
        """
        async with self._writing:
            numbers = self._free_numbers()
            unsent = Unsent(next(numbers) if outputs else None, next(numbers) if later else None)
            since, notes = self._end, self._take_notes()
            pairs = [
                (number, group)
                for number, group in zip(unsent, (outputs, later), strict=True)
                if number is not None
            ]
            sending = [(key_of_outputs(number), encode(group)) for number, group in pairs]
            if size_of(changes) + size_of(sending) + size_of(notes) > self._most_bytes:
                return await self._write_large(
                    next(self._free_numbers()), LargeWrite(changes, [*outputs, *later]), notes
                )
            # What is used again at once need not be emptied before.
            again = {key for key, _ in sending}
            notes = [note for note in notes if note[0] not in again]
            self._end = await self._append([*notes, *changes, *sending])
            for number, group in pairs:
                self._unfinished[number] = Unfinished(since, group)
            self._apply(changes, self._restored())
            return unsent

    async def _write_large(self, number: int, write: LargeWrite, notes: list[Entry]) -> Unsent:
        since = self._end
        parts = await self._write_parts(number, write, notes)
        keys = tuple(key for key, _ in write.entries if key is not None)
        self._unfinished[number] = Unfinished(since, write.outputs, parts, keys)
        self._apply(write.entries, self._restored())
        if write.outputs:
            return Unsent(number)
        await self._take_parts_back(number)
        return NOTHING_TO_SEND

    def sent_later(self, number: int) -> None:
        """What others were sent with is acknowledged."""
        self._sent[number] = time.monotonic()

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

    def _free_numbers(self) -> Iterator[int]:
        """Those that nothing unsent has; what was sent is noted with the next write."""
        return (n for n in count() if n not in self._unfinished or n in self._sent)

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
