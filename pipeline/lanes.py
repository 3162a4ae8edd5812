"""A lane works through slices one at a time and alone moves the frontier of their partition."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from aiokafka import TopicPartition

from pipeline import metrics
from pipeline.slices import Slice, join_head


class Abandoned(Exception):
    """Raised by a handler that stops in the middle of a slice because it is to close."""


class Handler(Protocol):
    """What a role does with the slices of one partition number, and the state it keeps there."""

    async def restore(self) -> Mapping[str, int]:
        """Bring the state up to its changelog; return the frontiers stored in it, by topic."""
        ...

    async def handle(self, slice_: Slice) -> None:
        """Work through one slice.

        On return every output is acknowledged by the broker and the state is stored: the frontier
        moves right after. Raises Abandoned when it was told to close and left the slice undone.
        Anything else it raises ends the process, and the slice is read again.
        """
        ...

    async def close(self) -> None:
        """Let go of the state."""
        ...


class Lane:
    """The slices of one or more topics of a partition number, the most urgent topic first.

    What arrived while the last slice was worked on goes together: the busier, the larger the
    slices, up to as many records as `topics` says for each topic.
    """

    def __init__(
        self,
        topics: Mapping[str, int],
        handler: Handler,
        frontiers: dict[TopicPartition, int],
        finished: Callable[[Slice], None],
    ) -> None:
        self.topics = tuple(topics)
        self._most = topics
        self._handler = handler
        self._frontiers = frontiers
        self._finished = finished
        self._queues: dict[str, deque[Slice]] = {topic: deque() for topic in topics}
        self._arrived = asyncio.Event()
        self._closing = False

    def put(self, slice_: Slice) -> None:
        """Queue a slice; per topic they must come in order and without a hole."""
        self._queues[slice_.partition.topic].append(slice_)
        self._arrived.set()

    def close(self) -> None:
        """End after the slice in hand."""
        self._closing = True
        self._arrived.set()

    async def run(self) -> None:
        """Work until closed."""
        while not self._closing:
            slice_ = self._next()
            if slice_ is None:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            try:
                await self._work(slice_)
            except Abandoned:
                return

    def _next(self) -> Slice | None:
        for topic, queue in self._queues.items():
            if queue:
                return join_head(queue, self._most[topic])
        return None

    async def _work(self, slice_: Slice) -> None:
        frontier = self._frontiers[slice_.partition]
        if slice_.start != frontier:
            raise RuntimeError(
                f"{slice_.partition}: a slice from {slice_.start} stood in the lane where "
                f"{frontier} was due. Nothing after {frontier} was committed."
            )
        topic, number = slice_.partition
        with metrics.SLICE_SECONDS.labels(topic).time():
            await self._handler.handle(slice_)
        self._frontiers[slice_.partition] = slice_.next
        metrics.FRONTIER.labels(topic, number).set(slice_.next)
        metrics.RECORDS.labels(topic).inc(len(slice_.records))
        self._finished(slice_)
