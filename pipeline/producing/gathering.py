"""Lines for which nobody waits: those of many slices are written together.

What a slice says to analysts is a few hundred bytes, and a batch of its own costs Kafka and us
nearly as much as a large one. So it waits in memory for what later slices of its partition say: the
changelog has it already, and whoever takes over sends it from there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from pipeline.producing.outputs import LINES_BYTES, Acknowledged, Records, in_lines
from pipeline.producing.write_queue import Entry, Place

Write = Callable[[str, int, list[Entry]], Awaitable[int]]
"""Appends records to a partition of a topic; on return they are acknowledged."""


class Countdown:
    """Tells once that the last of several places is written."""

    def __init__(self, left: int, acknowledged: Acknowledged) -> None:
        self._left = left
        self._acknowledged = acknowledged

    def one_done(self) -> None:
        """One more is written."""
        self._left -= 1
        if not self._left:
            self._acknowledged()


@dataclass(slots=True)
class Waiting:
    """What waits for one place, and who is to be told."""

    entries: list[Entry] = field(default_factory=list)
    size: int = 0
    tell: list[Countdown] = field(default_factory=list)


class Gathering:
    """The half of a log that gathers: a `pipeline.producing.outputs.GatheringLog`.

    Lines that are to be written, by topic and partition, in the order in which they came.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: dict[Place, Waiting] = {}
        self._writing: dict[asyncio.Task[None], Place] = {}
        self._error: BaseException | None = None

    def gather(self, records: Records, acknowledged: Acknowledged) -> list[Place]:
        """Have these written with others; `acknowledged` is called once all of them are.

        Where they fill a record they are written at once. It returns these places: whoever adds
        waits until they are `settled`, so that no more gathers than is written.
        """
        countdown = Countdown(len(records), acknowledged)
        full = list[Place]()
        for topic, partition, entries in records:
            waiting = self._waiting.setdefault((topic, partition), Waiting())
            waiting.entries += entries
            waiting.size += sum(len(value or b"") for _, value in entries)
            waiting.tell.append(countdown)
            if waiting.size >= LINES_BYTES:
                full.append((topic, partition))
                self._begin(full[-1])
        return full

    async def flush(self) -> None:
        """Write all that waits; on return all that was ever added is acknowledged.

        Raises Unavailable, also for what was written before at nobody's request.
        """
        for place in list(self._waiting):
            self._begin(place)
        await self._wait_for(list(self._writing))

    async def settled(self, places: Collection[Place]) -> None:
        """Wait until what is being written to these places is acknowledged; raises as `flush`."""
        await self._wait_for([task for task, place in self._writing.items() if place in places])

    def _begin(self, place: Place) -> None:
        task = asyncio.create_task(self._write_out(place, self._waiting.pop(place)))
        self._writing[task] = place
        task.add_done_callback(self._writing.pop)

    async def _write_out(self, place: Place, waiting: Waiting) -> None:
        try:
            await self._write(*place, in_lines(waiting.entries))
        except Exception as error:
            self._error = error
            return
        for countdown in waiting.tell:
            countdown.one_done()

    async def _wait_for(self, tasks: Collection[asyncio.Task[None]]) -> None:
        if tasks:
            # Not gathered: who is cancelled here must not take back what others wait for.
            await asyncio.wait(tasks)
        if self._error is not None:
            raise self._error
