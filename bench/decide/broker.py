"""The broker of one benchmark: empty topics, what was written to them, and how far they are."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from aiokafka import ConsumerRecord, TopicPartition

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import new_consumer
from pipeline.kafka.topic_reading import read_topic
from pipeline.producing.producer import Producer, start_producer
from pipeline.settings import Settings
from schemas.topics import LINES, Topic

CHUNK = 4000
"""Records of one partition that are sent together."""


class Arena:
    """A Kafka in a folder that goes with it, and one client of each kind."""

    def __init__(self, kafka: Kafka, folder: Path, partitions: int) -> None:
        self.folder = folder
        self.address = kafka.address
        self.broker = kafka.pid
        self._partitions = partitions
        self._consumer = new_consumer(kafka.address)
        self._lines = 0
        self._producer: Producer

    async def __aenter__(self) -> Self:
        self._producer = await start_producer(self.address)
        await self._consumer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._consumer.stop()
        await self._producer.stop()

    @property
    def producer(self) -> Producer:
        """The producer that fills the topics."""
        return self._producer

    async def create(self, *topics: str | Topic) -> None:
        """Create topics; those told by name alone are plain ones."""
        declared = [_plain(topic) if isinstance(topic, str) else topic for topic in topics]
        settings = Settings(kafka=self.address, partitions=self._partitions)
        await create_topics(settings, declared)

    async def write(
        self, topic: str, partition: int, records: Iterable[tuple[bytes | None, bytes | None]]
    ) -> None:
        """Append records and wait until the broker has them."""
        entries = list(records)
        for start in range(0, len(entries), CHUNK):
            await self._producer.write(topic, partition, entries[start : start + CHUNK])

    async def count(self, topic: str) -> int:
        """How many values were ever written to a topic."""
        tps = [TopicPartition(topic, number) for number in range(self._partitions)]
        ends = await self._consumer.end_offsets(tps)
        if topic not in LINES:
            return sum(ends.values())
        if not self._consumer.assignment():
            self._consumer.assign(tps)
        for tp, end in ends.items():
            while await self._consumer.position(tp) < end:
                for record in (await self._consumer.getmany(tp, timeout_ms=100)).get(tp, ()):
                    self._lines += record.value.count(b"\n") + 1
        return self._lines

    def read(self, topic: str) -> AsyncIterator[ConsumerRecord]:
        """All records of a topic."""
        return read_topic(self.address, topic)


@asynccontextmanager
async def arena(partitions: int) -> AsyncIterator[Arena]:
    """A fresh broker, gone afterwards with all it held."""
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with Kafka(folder / "kafka") as kafka, Arena(kafka, folder, partitions) as ready:
            yield ready


def _plain(name: str) -> Topic:
    return Topic(name=name, key="user", written_by="bench", read_by="bench")
