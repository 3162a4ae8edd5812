"""The partitions that this worker owns: opened, processed slice by slice, released."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, runtime_checkable

from aiokafka import TopicPartition

from pipeline.consuming.cursor import Cursor
from pipeline.consuming.received import Received
from pipeline.monitoring import metrics
from pipeline.process.queries import NotOwner
from pipeline.processing.frontiers import Bounds, frontier_of
from pipeline.processing.lanes import ALL_READ, Lane
from pipeline.processing.role import Role
from pipeline.processing.slices import RECORDS, Slice
from schemas.errors import Unavailable

GRACE = 20.0
"""Seconds that a slice in flight has to finish when its partition is taken away."""
NOTED_AFTER = 1.0
"""Seconds after which it is noted that outputs were sent, where no later slice has done so."""

log = logging.getLogger(__name__)


Flush = Callable[[], Awaitable[None]]
"""Has all written that was gathered; on return it is acknowledged. Raises Unavailable."""
Opened = Callable[[int], Awaitable[None]]
"""Called for each partition once it is restored, before its first slice."""


async def nothing_gathered() -> None:
    """Has nothing written, as whoever writes waits for it at once."""


@runtime_checkable
class QueryHandler(Protocol):
    """A handler that can be asked what it knows."""

    async def answer(self, question: bytes) -> bytes:
        """What is stored, as JSON; changes nothing. Raises ValueError for what is no question."""
        ...


class Source(Protocol):
    """The consumer, as far as partitions steer it."""

    cursors: dict[TopicPartition, Cursor]

    async def bounds(self, partitions: list[TopicPartition]) -> dict[TopicPartition, Bounds]:
        """Where the logs start and end, and what the group has committed."""
        ...

    def note_end(self, tp: TopicPartition) -> None:
        """Bring up to date where the cursor says that the log ends."""
        ...


class Partition:
    """One partition number of every topic of a role."""

    def __init__(
        self,
        number: int,
        role: Role,
        source: Source,
        opened: Opened | None,
        flush: Flush = nothing_gathered,
    ) -> None:
        self._number = number
        self._flush = flush
        self._role = role.name
        self._opened = opened
        self.frontiers: dict[TopicPartition, int] = {}
        self._closing = asyncio.Event()
        self._handler = role.open_handler(number, self._closing)
        self._source = source
        self._tps = {topic: TopicPartition(topic, number) for topic in role.topics}
        self._handled_to: dict[TopicPartition, int] = {}
        most = {topic: role.slice_records.get(topic, RECORDS) for topic in role.topics}
        groups = [{topic: most[topic]} for topic in most] if role.lane_per_topic else [most]
        self._lanes = [
            Lane(
                group,
                self._handler,
                self.frontiers,
                self._finished,
                weights=role.weights,
                read_to=None if role.lane_per_topic else self._read_to,
                most_bytes=role.slice_bytes,
                most_in_flight=max(role.in_flight.get(topic, 0) for topic in group),
                ahead=role.ahead,
                read_first=role.read_first,
                work_of=role.work_of,
                role=role.name,
            )
            for group in groups
        ]
        self._lane_of = {topic: lane for lane in self._lanes for topic in lane.topics}

    async def run(self) -> None:
        """Restore the state, find the frontiers, work until closed."""
        try:
            stored = await self._handler.restore()
            bounds = await self._source.bounds(list(self._tps.values()))
            if self._closing.is_set():
                return
            found = {tp: frontier_of(self._role, tp, bounds[tp], stored) for tp in bounds}
            received = Received()
            for tp, at in found.items():
                self.frontiers[tp] = at
                self._source.cursors[tp] = Cursor(position=at, received=received)
            if self._opened is not None:
                await self._opened(self._number)
            async with asyncio.TaskGroup() as tasks:
                noting = tasks.create_task(self._note_sent())
                async with asyncio.TaskGroup() as lanes:
                    for lane in self._lanes:
                        lanes.create_task(lane.run())
                noting.cancel()
            await self._flush()
            await self._handler.note_sent(0)
        finally:
            await self._handler.close()

    @property
    def is_restored(self) -> bool:
        """Whether it works, or has begun to close after it did."""
        return bool(self.frontiers)

    @property
    def has_work(self) -> bool:
        """Whether a record is known that is not done."""
        return any(self.lag().values())

    def lag(self) -> dict[str, int]:
        """By topic, how many records are known and not done, as far as offsets tell."""
        found = {}
        for tp, done in self.frontiers.items():
            if (cursor := self._source.cursors.get(tp)) is not None:
                self._source.note_end(tp)
                found[tp.topic] = max(cursor.position, cursor.end or 0, done) - done
        return found

    def accept(self, slice_: Slice) -> None:
        """Queue a slice for its lane."""
        self._lane_of[slice_.partition.topic].put(slice_)

    async def answer(self, question: bytes) -> bytes:
        """What the handler answers; raises NotOwner before it is restored and when it closes."""
        if (
            not self.frontiers
            or self._closing.is_set()
            or not isinstance(self._handler, QueryHandler)
        ):
            raise NotOwner
        return await self._handler.answer(question)

    def close(self) -> None:
        """Fetch no more, and end after the slices in flight."""
        for tp in self._tps.values():
            self._source.cursors.pop(tp, None)
        self._closing.set()
        for lane in self._lanes:
            lane.close()

    async def _note_sent(self) -> None:
        """Have it noted what was sent, also where nothing comes after it."""
        while True:
            await asyncio.sleep(NOTED_AFTER)
            await self._handler.note_sent(NOTED_AFTER)

    def _read_to(self, topic: str) -> int:
        tp = self._tps[topic]
        self._source.note_end(tp)
        cursor, handled = self._source.cursors.get(tp), self._handled_to.get(tp, 0)
        if cursor is None or not cursor.is_at_end(self.frontiers[tp]):
            return handled
        if cursor.received.is_current(cursor.answer):
            return ALL_READ
        return max(handled, cursor.received.seen_by(cursor.answer))

    def _finished(self, slice_: Slice) -> None:
        self._handled_to[slice_.partition] = slice_.records[-1].timestamp
        cursor = self._source.cursors.get(slice_.partition)
        if cursor is not None:
            cursor.finish(slice_)


class Partitions:
    """Every partition that the group has given to this worker."""

    def __init__(
        self,
        role: Role,
        *,
        bytes_in_flight: int,
        fail: Callable[[BaseException], None],
        flush: Flush = nothing_gathered,
    ) -> None:
        self.role = role
        self._flush = flush
        self._bytes_in_flight = bytes_in_flight * role.room
        self._fail = fail
        self.opened: Opened | None = None
        self.joined = asyncio.Event()
        self._held: dict[int, Partition] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self.is_leaving = False

    @property
    def numbers(self) -> list[int]:
        """The partition numbers held, in order."""
        return sorted(self._held)

    def room_per_partition(self) -> int:
        """Bytes that all topics of one partition number together should have in flight."""
        return self._bytes_in_flight // max(1, len(self._held))

    def with_room(self, cursors: Mapping[TopicPartition, Cursor]) -> set[TopicPartition]:
        """What may be fetched more of.

        The topics of a partition number share its room, and whoever needs it may use all that
        is left. Each one's even part is free to it even then, so that no backlog keeps another
        topic out: at most twice the room is in flight, and what the last fetches brought.
        """
        room = self.room_per_partition()
        own = room // len(self.role.topics)
        wanted = {tp for tp, cursor in cursors.items() if not cursor.seek_pending}
        # Few of many partitions have something in flight.
        busy = {tp: cursor.in_flight for tp, cursor in cursors.items() if cursor.in_flight}
        used = Counter[int]()
        for tp, size in busy.items():
            used[tp.partition] += size
        for tp, size in busy.items():
            if used[tp.partition] >= room and size >= own:
                wanted.discard(tp)
        if own == 0:
            wanted = {tp for tp in wanted if used[tp.partition] < room}
        return wanted

    @property
    def is_ready(self) -> bool:
        """Whether the group has given us partitions, and all of them are restored."""
        return self.joined.is_set() and all(held.is_restored for held in self._held.values())

    def at_work(self) -> dict[int, int]:
        """Of each partition that has something to do, the sum of its frontiers."""
        return {
            number: sum(held.frontiers.values())
            for number, held in self._held.items()
            if held.has_work
        }

    def lag(self) -> Counter[str]:
        """By topic, how many records are known and not done."""
        found = Counter(dict.fromkeys(self.role.topics, 0))
        for held in self._held.values():
            found.update(held.lag())
        return found

    def frontiers(self) -> dict[TopicPartition, int]:
        """Where each partition's next slice must start: all before it is done, for good."""
        return {tp: at for held in self._held.values() for tp, at in held.frontiers.items()}

    async def flushed_frontiers(self) -> dict[TopicPartition, int]:
        """The same, once all that what is before them was to write is acknowledged.

        Whatever keeps it from being written ends the process.
        """
        found = self.frontiers()
        try:
            await self._flush()
        except Exception as error:
            self._fail(error)
            raise
        return found

    def frontier(self, number: int, topic: str) -> int:
        """Up to which offset a topic of a partition is done; raises NotOwner."""
        held = self._held.get(number)
        at = held.frontiers.get(TopicPartition(topic, number)) if held else None
        if at is None:
            raise NotOwner
        return at

    async def answer(self, number: int, question: bytes) -> bytes:
        """What a partition's handler answers; raises NotOwner, and ValueError for no question."""
        if number not in self._held:
            raise NotOwner
        return await self._held[number].answer(question)

    def assign(self, numbers: set[int], source: Source) -> bool:
        """Open these partitions, each in a task of its own; not once `leave` was called."""
        if self.is_leaving:
            return False
        for number in sorted(numbers):
            held = self._held[number] = Partition(
                number, self.role, source, self.opened, self._flush
            )
            task = asyncio.create_task(held.run(), name=f"{self.role.name}-{number}")
            task.add_done_callback(self._ended)
            self._tasks[number] = task
        self.joined.set()
        return True

    def accept(self, slice_: Slice, source: Source) -> None:
        """Take a slice from the agent; if one before it was dropped, read again from there."""
        cursor = source.cursors.get(slice_.partition)
        if cursor is None or slice_.epoch != cursor.epoch:
            return
        if cursor.accept(slice_):
            self._held[slice_.partition.partition].accept(slice_)
        else:
            metrics.DROPPED_SLICES.labels(self.role.name, slice_.partition.topic).inc()
            log.warning(
                "%s: a slice from %d came where %d was due; reading again from there",
                slice_.partition,
                slice_.start,
                cursor.accepted,
            )
            cursor.seek(cursor.accepted)

    async def close(self) -> None:
        """Finish the slices in flight; then the frontiers don't move.

        What does not finish within the grace ends the process.
        """
        for number, task in self._tasks.items():
            held = self._held[number]
            held.close()
            if not held.frontiers:
                task.cancel()  # still restoring: the next owner starts over
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=GRACE)
            if late:
                # Cancelling tasks takes back nothing of what is on its way to Kafka or providers.
                self._fail(_not_finished([task.get_name() for task in late]))
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._tasks.clear()

    async def leave(self) -> None:
        """Close, and open nothing any more, though the group may still assign something to us.

        It does when another joins or leaves in the same moment; whoever is left then gets it.
        """
        self.is_leaving = True
        await self.close()

    def forget(self) -> None:
        """Drop the closed partitions with their frontiers, once those are committed."""
        self._held.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)


def _not_finished(names: list[str]) -> Unavailable:
    return Unavailable(
        f"{', '.join(names)} did not finish what was in flight within {GRACE:.0f} s, and others "
        "are to have these partitions. What was in flight was not committed; it is processed again."
    )
