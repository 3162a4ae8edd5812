"""A role that only notes which records it handled, and an app that runs it inside a test."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from aiokafka import AIOKafkaProducer, TopicPartition

from pipeline.admin.topic_creation import create_topics
from pipeline.consuming.app import SliceApp, build_app
from pipeline.process.running_role import leave
from pipeline.processing.frontiers import Stored
from pipeline.processing.lanes import ReadTo
from pipeline.processing.partitions import Partitions
from pipeline.processing.parts import Trust
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice
from pipeline.producing.lease import Lease
from pipeline.settings import Settings
from schemas.topics import Topic

PARTITIONS = 3
numbers = count()


class Recorder:
    """What was handled, by partition, in order; over all workers that share it."""

    def __init__(self, kafka: str, *, pause: float = 0.0, slice_records: int = 20) -> None:
        self.name = f"recorder-{next(numbers)}"
        self.topic = Topic(name=f"{self.name}-in", key="k", written_by="", read_by="")
        self.settings = Settings(kafka=kafka, partitions=PARTITIONS, session_timeout=2)
        self.handled: dict[int, list[int]] = defaultdict(list)
        self.at_once = 0
        self.stored: dict[int, int] = {}
        self._busy: set[int] = set()
        self._pause = pause
        self._slice_records = slice_records

    async def fill(self, count: int) -> dict[int, list[int]]:
        """Write `count` records to each partition; returns the offsets that it has now."""
        await create_topics(self.settings, [self.topic])
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.kafka)
        await producer.start()
        for number in range(PARTITIONS):
            for n in range(count):
                await producer.send(self.topic.name, b"%d" % n, partition=number)
        await producer.stop()
        return {number: list(range(count)) for number in range(PARTITIONS)}

    def count(self) -> int:
        """How many records were handled."""
        return sum(map(len, self.handled.values()))

    def role(self) -> Role:
        """The role that notes what it handles."""
        return Role(
            name=self.name,
            topics=(self.topic.name,),
            open_handler=lambda number, _: Notes(self, number),
            slice_records={self.topic.name: self._slice_records},
        )

    async def handle(self, slice_: Slice) -> None:
        """Note the slice's records when its work is done."""
        number = slice_.partition.partition
        self.at_once = max(self.at_once, 2 if number in self._busy else 1)
        self._busy.add(number)
        await asyncio.sleep(self._pause)
        self.handled[number] += [record.offset for record in slice_.records]
        self._busy.discard(number)

    @asynccontextmanager
    async def worker(self, errors: list[BaseException] | None = None) -> AsyncIterator[SliceApp]:
        """One worker of the role, in this process, stopped in order at the end.

        There must be no `errors`, unless the test takes them itself.
        """
        found: list[BaseException] = [] if errors is None else errors
        partitions = Partitions(self.role(), bytes_in_flight=1 << 20, fail=found.append)
        app = build_app(self.settings, partitions, Lease(self.settings.session_timeout))
        app.finalize()
        await app.start()
        try:
            yield app
        finally:
            try:
                await leave(app, partitions)
            finally:
                await app.stop()
        assert errors is not None or not found


class Notes:
    """The handler of one partition."""

    waits = False

    def __init__(self, recorder: Recorder, number: int) -> None:
        self._recorder = recorder
        self._number = number

    async def note_sent(self, after: float) -> None:
        """Nothing is ever sent."""

    async def restore(self) -> Stored:
        """The frontier that a test says was stored with the state."""
        stored = self._recorder.stored.get(self._number)
        return Stored({} if stored is None else {self._recorder.topic.name: stored})

    async def handle(self, slice_: Slice) -> None:
        """Note it."""
        await self._recorder.handle(slice_)

    async def trust(self, slice_: Slice) -> Trust:
        """All of it."""
        return Trust.WHOLE

    async def note_alone(self, slice_: Slice) -> None:
        """Nothing is noted."""

    async def acquit(self, slice_: Slice) -> None:
        """Nothing was noted."""

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Nothing here is at fault."""
        raise error

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Nothing is ever due."""
        return None

    async def close(self) -> None:
        """Nothing to let go of."""


async def committed(app: SliceApp, recorder: Recorder) -> dict[int, int]:
    """The group's committed offsets by partition number."""
    tps = [TopicPartition(recorder.topic.name, number) for number in range(PARTITIONS)]
    bounds = await app.consumer.bounds(tps)
    return {tp.partition: bounds[tp].committed or 0 for tp in tps}
