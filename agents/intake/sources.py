"""Which partitions of companies' own topics a worker of the role `intake` reads, and when."""

import asyncio
import logging
from zlib import crc32

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from agents.intake.source_reading import SourceReading
from pipeline.catalogue_folder import Catalogues
from pipeline.process.runtime import Runtime
from pipeline.records.source_decoders import SourceDecoders
from schemas.question import SourceState
from schemas.topics import is_ours

LOOK_SECONDS = 5.0
"""Between looks at which topics there are: a new one, or a new partition, is read so soon after."""
CATALOGUE_SECONDS = 0.5
RELEASE_SECONDS = 10.0
"""For which Kafka is waited for when a partition goes; what it has not heard then comes again, and
is known where it arrives."""

log = logging.getLogger(__name__)


class Sources:
    """The sources of the catalogue, read as far as they fall to the partitions that are held.

    Each partition of a source falls to one partition number of the role, so that the group of the
    role, and its lease, say who reads it. A source comes and goes with the catalogue, a topic and a
    partition with the cluster. What goes wrong for good is raised by `check`.
    """

    def __init__(
        self,
        catalogues: Catalogues,
        runtime: Runtime,
        look: float = LOOK_SECONDS,
        decoders: SourceDecoders | None = None,
    ) -> None:
        self._catalogues = catalogues
        self._runtime = runtime
        self._look = look
        self._decoders = decoders or SourceDecoders(runtime.settings)
        self._held = set[int]()
        self._readings: dict[str, SourceReading] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._seen: tuple[str, frozenset[int]] = "", frozenset()
        self._looked_at = 0.0

    def hold(self, number: int) -> None:
        """Read what falls to this partition number from now on."""
        self._held.add(number)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def release(self, number: int) -> None:
        """Read nothing of it any more: what is in hand is finished and committed before."""
        self._held.discard(number)
        for reading in self._readings.values():
            reading.wanted = frozenset(tp for tp in reading.wanted if self._is_ours(tp))
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                for reading in list(self._readings.values()):
                    await reading.settle()
        except (TimeoutError, KafkaError) as error:
            log.warning("What was read of sources could not be committed: %r", error)
        if not self._held:
            await self._end()

    def check(self) -> None:
        """Raise what ended the reading of a source, such as Unavailable."""
        for task in [*self._tasks.values(), *([self._watching] if self._watching else [])]:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def waits(self, source: str) -> bool:
        """Whether a source reads nothing for now, as its records can't be used as they are."""
        return source in self._readings and self._readings[source].waits

    def states(self) -> list[SourceState]:
        """How far this process is with each source, by name."""
        return [self._readings[name].state() for name in sorted(self._readings)]

    async def _end(self) -> None:
        ending = list(self._tasks.values())
        if self._watching is not None:
            ending.append(self._watching)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await self._decoders.close()
        self._watching = None
        self._tasks.clear()
        self._readings.clear()
        self._seen = "", frozenset()

    async def _watch(self) -> None:
        while True:
            try:
                await self._start_and_stop()
                if self._readings and self._is_time():
                    await self._look_around()
            except KafkaError as error:
                log.warning("Which topics there are can't be told: %r", error)
            await asyncio.sleep(CATALOGUE_SECONDS)

    def _is_time(self) -> bool:
        now = asyncio.get_running_loop().time()
        seen = self._catalogues.current.version, frozenset(self._held)
        if seen == self._seen and now < self._looked_at + self._look:
            return False
        self._looked_at = now
        return True

    async def _start_and_stop(self) -> None:
        sources = self._catalogues.current.sources.values()
        names = {each.name for each in sources if each.only_topics is not None}
        for name in self._readings.keys() - names:
            self._readings[name].wanted = frozenset()
            task = self._tasks.pop(name)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            del self._readings[name]
        for name in sorted(names - self._readings.keys()):
            reading = SourceReading(name, self._catalogues, self._runtime, self._decoders)
            await reading.begin()
            self._readings[name] = reading
            self._tasks[name] = asyncio.create_task(reading.run(), name=f"source-{name}")

    async def _look_around(self) -> None:
        seen = self._catalogues.current.version, frozenset(self._held)
        topics = await next(iter(self._readings.values())).partitions()
        for name, reading in self._readings.items():
            source = self._catalogues.current.sources.get(name)
            if source is None:
                continue
            reading.wanted = frozenset(
                tp
                for topic, numbers in topics.items()
                if source.reads(topic) and not is_ours(topic, self._runtime.settings.prefix)
                for number in numbers
                if self._is_ours(tp := TopicPartition(topic, number))
            )
        self._seen = seen

    def _is_ours(self, tp: TopicPartition) -> bool:
        """Whether it falls to a partition that is held; topics of one partition are spread."""
        count = self._runtime.settings.partitions
        return (crc32(tp.topic.encode()) + tp.partition) % count in self._held
