"""A line to Kafka for all tests: the topics, and whoever writes to them and reads from them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.producer import Producer, start_producer
from pipeline.settings import Settings
from pipeline.topic_creation import create_topics
from pipeline.topics import TOPICS
from tests.agents.kinds import KINDS

PARTITIONS = 2
INPUTS = [TopicPartition(name, number) for name in KINDS for number in range(PARTITIONS)]


@dataclass(frozen=True)
class Line:
    """One producer and one reader of all topics, for all tests."""

    kafka: str
    producer: Producer
    consumer: AIOKafkaConsumer


@asynccontextmanager
async def line_to(kafka: str) -> AsyncIterator[Line]:
    """Create all topics, with few partitions, and connect."""
    await create_topics(Settings(kafka=kafka, partitions=PARTITIONS), TOPICS)
    producer = await start_producer(kafka)
    consumer = AIOKafkaConsumer(
        *KINDS,
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        fetch_max_wait_ms=20,
        max_partition_fetch_bytes=9 << 20,
    )
    await consumer.start()
    try:
        yield Line(kafka, producer, consumer)
    finally:
        await consumer.stop()
        await producer.stop()
