"""Records at which processes ended without a word: of what they hold, memory or a C library breaks.

Nothing can be caught then, and each successor would read the record again. So each process notes
where in a topic it begins. Where two never came further, the next goes on one record at a time and
notes each before it is worked on; whatever else the process has to do, its other roles included,
waits meanwhile. The record with which two processes ended that worked on it alone is set aside:
that a kill from outside hits the same one twice, of a few milliseconds each, is as good as
impossible. Where a record may wait for others, as in sinks, nothing of this is done, and nobody
waits for it.
"""

import contextlib

from msgspec import Struct

from pipeline.processing.parts import Trust
from pipeline.processing.slices import RECORDS, Slice
from tables.storage.store import Store
from tables.storage.table import Table, key_of

MOST_BEGUN = 2
"""Processes that began at one place and never left it, before the next one is careful."""
MOST_ALONE = 2
"""Processes that ended with a record alone, before it is set aside."""


class Begun(Struct, frozen=True, array_like=True):
    """How many processes began at this offset of a topic; `alone` are those that had one record."""

    offset: int
    times: int = 1
    alone: int = 0


BEGUN = Table(b"y", Begun)
"""By topic: where its reading began last."""


class Deaths:
    """What this process knows of its predecessors' ends in one partition."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._begun: set[str] = set()
        self._careful_to: dict[str, int] = {}

    async def trust(self, slice_: Slice) -> Trust:
        """How to take a slice, or part of one; noted where the process must be seen to end in it.

        That is durable on return, and costs nothing but once a topic.
        """
        topic = slice_.partition.topic
        if topic in self._begun:
            return self._as_careful(slice_) if topic in self._careful_to else Trust.WHOLE
        before = self._last(topic)
        if before is None or before.offset != slice_.start:
            before = Begun(slice_.start, 0)
        if before.alone:
            if len(slice_.records) > 1:
                return Trust.ALONE
            self._begin_careful(slice_)
            if before.alone >= MOST_ALONE:
                return Trust.NONE
            return self._as_careful(slice_)
        if before.times >= MOST_BEGUN:
            self._begin_careful(slice_)
            return self._as_careful(slice_)
        self._begun.add(topic)
        await self._note(topic, Begun(slice_.start, before.times + 1))
        return Trust.WHOLE

    async def note_alone(self, slice_: Slice) -> None:
        """This process works on this record, and on nothing else; it is durable on return."""
        topic, start = slice_.partition.topic, slice_.start
        before = self._last(topic)
        ended = 0 if before is None or before.offset != start else before.alone
        await self._note(topic, Begun(start, alone=ended + 1))

    async def acquit(self, slice_: Slice) -> None:
        """Whatever ends this process now, it is no fault of the slice."""
        # What is broken may keep us from saying so; then the next process is careful too early.
        with contextlib.suppress(Exception):
            await self._note(slice_.partition.topic, None)

    def _begin_careful(self, slice_: Slice) -> None:
        topic = slice_.partition.topic
        self._begun.add(topic)
        self._careful_to[topic] = slice_.start + RECORDS

    def _as_careful(self, slice_: Slice) -> Trust:
        topic = slice_.partition.topic
        if slice_.start >= self._careful_to[topic]:
            del self._careful_to[topic]
            return Trust.WHOLE
        return Trust.ALONE

    def _last(self, topic: str) -> Begun | None:
        (value,) = self._store.get_many([BEGUN.prefix + key_of(topic)])
        return None if value is None else BEGUN.decode(value)

    async def _note(self, topic: str, begun: Begun | None) -> None:
        value = None if begun is None else BEGUN.encode(begun)
        await self._store.write({BEGUN.prefix + key_of(topic): value})
