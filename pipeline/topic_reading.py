"""Reading a topic outside of any consumer group, from its start to what is now its end."""

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from pipeline.brokers import Kafka
from pipeline.kafka_clients import reader


async def read_topic(kafka: Kafka, topic: str) -> AsyncIterator[ConsumerRecord]:
    """Every record that the topic holds now, partition by partition; raises Unavailable."""
    async with reader(kafka, topic) as consumer:
        tps = [TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic) or ()]
        ends = await consumer.end_offsets(tps)
        for tp in tps:
            async for record in _read_to(consumer, tp, ends[tp]):
                yield record


async def read_record(
    kafka: Kafka, topic: str, partition: int, offset: int
) -> ConsumerRecord | None:
    """The record at one offset, or None if the topic no longer has it; raises Unavailable."""
    tp = TopicPartition(topic, partition)
    async with reader(kafka) as consumer:
        consumer.assign([tp])
        begin = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        if not begin <= offset < end:
            return None
        consumer.seek(tp, offset)
        record = await consumer.getone(tp)
        return record if record.offset == offset else None


async def _read_to(
    consumer: AIOKafkaConsumer, tp: TopicPartition, end: int
) -> AsyncIterator[ConsumerRecord]:
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(tp, timeout_ms=500)).values():
            for record in records:
                if record.offset < end:
                    yield record
