"""Ground to put partition stores on: a real changelog partition and a folder for each test."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from pipeline.producing.batch import Batch
from pipeline.producing.fencing import OPENED
from pipeline.producing.producer import BATCH_BYTES, Producer
from pipeline.producing.write_queue import Check
from schemas.topics import Topic
from tables.storage.restore import Changelog
from tables.storage.store import RESTORED, PartitionStore
from tables.storage.table import Table, checker

TOPIC = Topic(
    name="ground-changelog", key="", written_by="", read_by="", compacted=True, retention_ms=0
)
PARTITIONS = 128
"""At least one for each test that wants ground."""


class Note(Struct, frozen=True, array_like=True):
    """A value with a field, so that not every MessagePack is one."""

    text: str


NOTES = Table(b"n", Note)
COUNTS: Table[int] = Table(b"c", int)


class CountingProducer(Producer):
    """Our client, counting batches, and killed after so many if a test says so.

    Whoever opens a changelog is a new process; what it begins with is not counted.
    """

    batches = 0
    dies_after: int | None = None

    async def open(self, topic: str, partition: int, check: Check = lambda: None) -> int:
        """As the client does it."""
        self.dies_after = None
        batches = self.batches
        begin = await super().open(topic, partition, check)
        self.batches = batches
        return begin

    def enqueue(self, batch: Batch, place: tuple[str, int]) -> "asyncio.Future[Any]":
        """As the client does it."""
        if self.batches == self.dies_after:
            raise KafkaError("killed")
        self.batches += 1
        return super().enqueue(batch, place)


@asynccontextmanager
async def producing(kafka: str) -> AsyncIterator[CountingProducer]:
    """A producer with the batch size of ours."""
    producer = CountingProducer(bootstrap_servers=kafka, max_batch_size=BATCH_BYTES)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@dataclass
class Ground:
    """One changelog partition, and as many folders as a test has use for."""

    kafka: str
    partition: int
    producer: CountingProducer
    folder: Path
    topic: str = TOPIC.name
    tables: tuple[Table[Any], ...] = field(default=(NOTES, COUNTS))

    def store(self, name: str = "db") -> PartitionStore:
        """A store in the folder of this name; not yet restored."""
        changelog = Changelog(self.kafka, self.topic, self.partition, checker(*self.tables))
        # All at one time, so that what two of them hold can be compared.
        return PartitionStore(self.folder / name, changelog, self.producer, now=lambda: 1.0)

    @asynccontextmanager
    async def open(self, name: str = "db") -> AsyncIterator[PartitionStore]:
        """A restored store, closed at the end."""
        store = self.store(name)
        try:
            await store.restore()
            yield store
        finally:
            store.close()

    async def frontiers(self, name: str) -> dict[str, int]:
        """What a restore in the folder of this name answers."""
        store = self.store(name)
        try:
            return await store.restore()
        finally:
            store.close()

    async def contents(self, name: str) -> dict[bytes, bytes]:
        """Everything in a store, opened in the folder of this name."""
        async with self.open(name) as store:
            return everything(store)

    async def append(self, key: bytes, value: bytes) -> int:
        """Write to the changelog behind the store's back; returns the record's offset."""
        sent = await self.producer.send_and_wait(
            self.topic, value, key=key, partition=self.partition
        )
        return int(sent.offset)

    async def log(self) -> list[tuple[bytes | None, bytes | None]]:
        """Every record of the changelog partition, but for those by which owners begin."""
        tp = TopicPartition(self.topic, self.partition)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await consumer.start()
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        records = []
        while await consumer.position(tp) < end:
            records += (await consumer.getmany(tp, timeout_ms=100)).get(tp, [])
        await consumer.stop()
        return [(record.key, record.value) for record in records if record.key != OPENED]


def everything(store: PartitionStore) -> dict[bytes, bytes]:
    """All that a store holds, but for how far into its changelog it is: owners that begin count."""
    return {key: value for key, value in store.scan(b"") if key != RESTORED}


def notes(texts: Mapping[str, str | None]) -> dict[bytes, bytes | None]:
    """Changes to NOTES as a store takes them, by key."""
    return {
        NOTES.prefix + key.encode(): None if text is None else NOTES.encode(Note(text))
        for key, text in texts.items()
    }


def many_notes(megabytes: int) -> dict[bytes, bytes | None]:
    """Notes of so many megabytes: more than one batch of the producer."""
    return notes({f"{number:06}": "x" * 1000 for number in range(megabytes * 1000)})
