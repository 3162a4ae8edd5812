"""A log that acknowledges when a test says so: what comes before what is then plain to see."""

import asyncio
from collections import deque

from pipeline.producing.gathering import Gathering
from pipeline.producing.write_queue import Entry
from schemas.errors import Unavailable
from tests.patience import until

TURNS = 200
"""Rounds of the event loop after which nothing goes on that waits for nothing else."""


class Write:
    """Records on their way, which the broker has not acknowledged."""

    def __init__(self, topic: str, partition: int, entries: list[Entry]) -> None:
        self.place = topic, partition
        self.entries = entries
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def keys(self) -> list[bytes | None]:
        """The records' keys, in order."""
        return [key for key, _ in self.entries]

    def acknowledge(self) -> None:
        """The broker has them."""
        if not self.answer.done():
            self.answer.set_result(None)

    def fail(self) -> None:
        """The broker does not answer."""
        self.answer.set_exception(Unavailable("no acknowledgement came"))


class GatedLog:
    """Takes records as Kafka's producer does; each write waits for its test."""

    def __init__(self) -> None:
        self.begun = 0
        self.pending: deque[Write] = deque()
        """Writes that no test has taken yet."""
        self._ends: dict[tuple[str, int], int] = {}

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Append; returns once the test acknowledged it."""
        write = Write(topic, partition, entries)
        self.begun += 1
        self.pending.append(write)
        await write.answer
        end = self._ends[write.place] = self._ends.get(write.place, 0) + len(entries)
        return end

    async def next(self, count: int = 1) -> list[Write]:
        """The next writes; that no others were begun beside them is checked."""
        await until(lambda: len(self.pending) >= count, pause=0)
        await settled()
        assert len(self.pending) == count, [write.place for write in self.pending]
        return [self.pending.popleft() for _ in range(count)]

    def take(self) -> list[Write]:
        """All writes that were begun."""
        taken = list(self.pending)
        self.pending.clear()
        return taken

    async def nothing(self) -> None:
        """Check that no further write is begun, however long one waits."""
        await settled()
        assert not self.pending, [write.place for write in self.pending]


class GatheringGate(Gathering, GatedLog):
    """One that gathers what nobody waits for, until it is flushed."""

    def __init__(self) -> None:
        GatedLog.__init__(self)
        Gathering.__init__(self, self.write)

    async def flushed(self) -> Write:
        """The one write of what was gathered, acknowledged."""
        flushing = asyncio.create_task(self.flush())
        (write,) = await self.next()
        write.acknowledge()
        await flushing
        return write


async def settled() -> None:
    """Let everything run that waits for nothing but its turn."""
    for _ in range(TURNS):
        await asyncio.sleep(0)
