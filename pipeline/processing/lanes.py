"""A lane works through slices one at a time and alone moves the frontier of their partition."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Protocol

from aiokafka import TopicPartition

from pipeline.monitoring import metrics
from pipeline.processing.frontiers import Stored
from pipeline.processing.parts import SliceHandler, handle_with_care
from pipeline.processing.queues import Queues, WorkOf
from pipeline.processing.read_first import Before, ReadFirst
from pipeline.processing.slices import BYTES, Slice
from pipeline.processing.window import Window
from schemas.errors import Abandoned

ReadTo = Callable[[str], int]
ALL_READ = 1 << 62
"""Epoch milliseconds that no clock reaches: nothing is left to read."""
LONGEST_WAIT = 10.0
"""Seconds after which a lane asks again what is due: a machine's clock can be set."""
HELD_UP = 0.01
"""Seconds until it is looked again whether what is held up may go: it may be that another topic is
found to have nothing more, which brings no slice."""

# To look a metric up by its labels takes longer than to count.
seconds_of = cache(metrics.SLICE_SECONDS.labels)
frontier_of = cache(metrics.FRONTIER.labels)
records_of = cache(metrics.RECORDS.labels)


def all_read(_: str) -> int:
    """As far as any topic is read where nothing is left of it."""
    return ALL_READ


class Handler(SliceHandler, Protocol):
    """What a role does with the slices of one partition number, and the state it keeps there."""

    async def restore(self) -> Stored:
        """Bring the state up to its changelog; return the frontiers stored in it."""
        ...

    async def note_sent(self, after: float) -> None:
        """Note durably what was sent `after` seconds ago or earlier, where nothing else did."""
        ...

    async def handle(self, slice_: Slice) -> None:
        """Work through one slice.

        On return every output is acknowledged by the broker and the state is stored: the frontier
        moves right after. Raises Abandoned when it was told to close and left the slice undone. An
        error that a record may be to blame for sets that record aside
        (`pipeline.processing.parts`); any other ends the process, and the slice is read again.
        """
        ...

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Do what is due by the clock, at most about a slice's worth, as durably as a slice.

        `read_to` says of each topic up to when (epoch ms) all that Kafka took is handled: after
        an outage the clock may be far ahead of that. Returns the seconds until more is due: 0
        for at once, None when nothing waits. Asked between any two slices, so nothing that waits
        may cost much to find. Whatever it raises ends the process: what is due and can't be done
        it must set aside itself.
        """
        ...

    async def close(self) -> None:
        """Close the state."""
        ...


class Lane:
    """The slices of one or more topics of a partition number, in the order of `Queues`.

    What arrived while the last slice was worked on goes together: the busier, the larger the
    slices, up to as many records as `topics` says for each topic, or `most_bytes`. Between slices
    the handler does what is due by the clock, if it is known how far topics are read. What is in
    `read_first` waits for other topics.

    With `most_in_flight` records a lane of one topic begins slices before those in front of them
    are done, so that nothing waits for what is slow; its frontier still moves in their order.
    """

    def __init__(
        self,
        topics: Mapping[str, int],
        handler: Handler,
        frontiers: dict[TopicPartition, int],
        finished: Callable[[Slice], None],
        weights: Mapping[str, float] | None = None,
        read_to: ReadTo | None = None,
        most_bytes: int = BYTES,
        most_in_flight: int = 0,
        ahead: Iterable[str] = (),
        read_first: Mapping[str, Before] | None = None,
        work_of: WorkOf | None = None,
        role: str = "",
    ) -> None:
        self._role = role
        self.topics = tuple(topics)
        self._handler = handler
        self._frontiers = frontiers
        self._finished = finished
        self._read_to = read_to
        gate = ReadFirst(read_first or {}, read_to or all_read)
        self._queues = Queues(topics, weights or {}, most_bytes, ahead, gate.lets, work_of)
        self._window = Window(most_in_flight, max(topics.values()))
        self._arrived = asyncio.Event()
        self._closing = asyncio.Event()

    def put(self, slice_: Slice) -> None:
        """Queue a slice; per topic they must come in order and without a hole."""
        self._queues.put(slice_)
        self._arrived.set()

    def close(self) -> None:
        """End after the slice in flight."""
        self._closing.set()
        self._arrived.set()

    async def run(self) -> None:
        """Work until closed."""
        if self._window.most:
            await self._work_side_by_side()
            return
        with contextlib.suppress(Abandoned):
            while not self._closing.is_set():
                due_in = await self._handler.on_timer(self._read_to) if self._read_to else None
                if self._closing.is_set():
                    return
                slice_ = self._queues.take()
                if slice_ is not None:
                    await self._work(slice_)
                elif self._queues.is_held_up:
                    await self._arrival(HELD_UP if due_in is None else min(due_in, HELD_UP))
                else:
                    await self._arrival(due_in)

    async def _arrival(self, due_in: float | None) -> None:
        """Wait for a slice, but not beyond the time when something is due."""
        self._arrived.clear()
        if due_in is None:
            await self._arrived.wait()
        elif due_in <= 0:
            await asyncio.sleep(0)
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(due_in, LONGEST_WAIT)):
                    await self._arrived.wait()

    async def _work_side_by_side(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while not self._closing.is_set():
                slice_ = self._queues.take() if self._window.has_room else None
                if slice_ is None:
                    await self._arrival(None)
                else:
                    self._check_start(slice_, self._window.next)
                    self._window.begin(slice_)
                    tasks.create_task(self._work_beside_others(slice_))

    async def _work_beside_others(self, slice_: Slice) -> None:
        with contextlib.suppress(Abandoned):
            with seconds_of(self._role, slice_.partition.topic).time():
                await handle_with_care(self._handler, slice_, lambda _: None)
            for done in self._window.end(slice_):
                self._move_frontier(done)
            self._arrived.set()

    def _check_start(self, slice_: Slice, due: int | None = None) -> None:
        frontier = self._frontiers[slice_.partition]
        due = frontier if due is None else due
        if slice_.start != due:
            raise RuntimeError(
                f"{slice_.partition}: a slice from {slice_.start} stood in the lane where "
                f"{due} was due. Nothing after {frontier} was committed."
            )

    async def _work(self, slice_: Slice) -> None:
        self._check_start(slice_)
        with seconds_of(self._role, slice_.partition.topic).time():
            await handle_with_care(self._handler, slice_, self._move_frontier)

    def _move_frontier(self, part: Slice) -> None:
        topic, number = part.partition
        self._frontiers[part.partition] = part.next
        frontier_of(self._role, topic, number).set(part.next)
        records_of(self._role, topic).inc(len(part.records))
        self._finished(part)
