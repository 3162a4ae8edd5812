"""Reading a topic outside of any consumer group, from its start to what is now its end."""

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.errors import Unavailable


async def read_topic(kafka: str, topic: str) -> AsyncIterator[ConsumerRecord]:
    """Every record that the topic holds now, partition by partition; raises Unavailable."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        tps = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic) or ()]
        ends = await consumer.end_offsets(tps)
        for tp in tps:
            async for record in _read_to(consumer, tp, ends[tp]):
                yield record
    except KafkaError as error:
        raise kafka_away(kafka, error) from error
    finally:
        await consumer.stop()


async def read_record(kafka: str, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
    """The record at one offset, or None if the topic no longer has it; raises Unavailable."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    tp = TopicPartition(topic, partition)
    try:
        await consumer.start()
        consumer.assign([tp])
        begin = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        if not begin <= offset < end:
            return None
        consumer.seek(tp, offset)
        record = await consumer.getone(tp)
        return record if record.offset == offset else None
    except KafkaError as error:
        raise kafka_away(kafka, error) from error
    finally:
        await consumer.stop()


async def _read_to(
    consumer: AIOKafkaConsumer, tp: TopicPartition, end: int
) -> AsyncIterator[ConsumerRecord]:
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(tp, timeout_ms=500)).values():
            for record in records:
                if record.offset < end:
                    yield record


def kafka_away(kafka: str, error: KafkaError) -> Unavailable:
    """What to raise when a topic can't be read as Kafka does not answer."""
    return Unavailable(
        f"Kafka does not answer at {kafka} ({error!r}). Nothing was changed; start it, or set "
        "TOCSIN_KAFKA to where it listens."
    )
