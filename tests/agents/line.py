"""A line to Kafka: the topics of all tests, and each test's own producer and reader of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from pipeline.producing.producer import Producer, start_producer
from tests.agents.kinds import KINDS
from tests.patience import PATIENCE, PAUSE, in_time

PARTITIONS = 2
INPUTS = [TopicPartition(name, number) for name in KINDS for number in range(PARTITIONS)]


@dataclass(frozen=True)
class Line:
    """A producer, and a reader of all topics that fetches from none until it is resumed."""

    kafka: str
    producer: Producer
    consumer: AIOKafkaConsumer


@asynccontextmanager
async def line_to(kafka: str) -> AsyncIterator[Line]:
    """Connect to the topics, which must be there."""
    producer = await start_producer(kafka)
    try:
        async with _reading(kafka) as consumer:
            yield Line(kafka, producer, consumer)
    finally:
        await producer.stop()


async def is_settled(kafka: str) -> None:
    """Wait until the topics are led and groups looked after, which Kafka is not at once."""
    async with _reading(kafka) as consumer:
        await consumer.end_offsets(INPUTS)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        async with in_time():
            while not await _is_looked_after(admin):  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(PAUSE)
    finally:
        await admin.close()


async def _is_looked_after(admin: AIOKafkaAdminClient) -> bool:
    try:
        await admin.list_consumer_group_offsets("anybody")
    except GroupCoordinatorNotAvailableError:
        return False
    return True


@asynccontextmanager
async def _reading(kafka: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        *KINDS,
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        fetch_max_wait_ms=20,
        max_partition_fetch_bytes=9 << 20,
        request_timeout_ms=int(PATIENCE * 1000),
    )
    try:
        await consumer.start()
        # It would ask for all of them fifty times a second; who reads one resumes it meanwhile.
        consumer.pause(*consumer.assignment())
        yield consumer
    finally:
        await consumer.stop()
