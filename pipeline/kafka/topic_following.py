"""Following a topic outside of any consumer group: every partition, for as long as a block runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.kafka.clients import kafka_away, new_consumer
from pipeline.settings import Settings
from schemas.topics import Topic

PAUSE = 1.0
"""Seconds between attempts while Kafka is away."""
log = logging.getLogger(__name__)


@asynccontextmanager
async def following(
    settings: Settings, topic: Topic, take: Callable[[bytes], None], *, from_start: bool
) -> AsyncIterator[None]:
    """Have `take` called with every value, from the topic's start or from what is now its end.

    On entry it is settled where that end is. While Kafka is away nothing comes, and what was
    written meanwhile comes when it is back. A value at which `take` raises is logged and passed
    over: what follows it must not wait. Raises Unavailable without Kafka at the beginning.
    """
    consumer = new_consumer(settings.brokers, fetch_max_wait_ms=50)
    try:
        await consumer.start()
        tps = [TopicPartition(topic.name, at) for at in range(settings.partitions)]
        consumer.assign(tps)
        await (consumer.seek_to_beginning(*tps) if from_start else consumer.seek_to_end(*tps))
        for tp in tps:
            # Found out now, and not at the first fetch, when something may have been written.
            await consumer.position(tp)
    except KafkaError as error:
        await consumer.stop()
        raise kafka_away(settings.brokers, error) from error
    reading = asyncio.create_task(_read(consumer, topic, take))
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, topic: Topic, take: Callable[[bytes], None]) -> None:
    while True:
        try:
            batches = await consumer.getmany(timeout_ms=1000)
        except KafkaError as error:
            log.warning("%s can't be read: %r", topic.name, error)
            await asyncio.sleep(PAUSE)
            continue
        for records in batches.values():
            for record in records:
                if record.value is not None:
                    _hand_on(record, take)


def _hand_on(record: ConsumerRecord, take: Callable[[bytes], None]) -> None:
    try:
        take(record.value)
    except Exception:
        place = f"{record.topic}-{record.partition} at {record.offset}"
        log.exception("The record of %s can't be read and was passed over.", place)
