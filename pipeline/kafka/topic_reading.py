"""Reading a topic outside of any consumer group, from its start to what is now its end."""

from collections.abc import AsyncIterator, Iterable, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from pipeline.admin.end_offsets import learn
from pipeline.kafka.brokers import Brokers, Kafka
from pipeline.kafka.clients import reader
from schemas.topics import is_ours


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
        await learn(consumer, [topic])
        if partition not in _partitions(consumer, topic):
            return None
        consumer.assign([tp])
        begin = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        if not begin <= offset < end:
            return None
        consumer.seek(tp, offset)
        record = await consumer.getone(tp)
        return record if record.offset == offset else None


async def read_newest(kafka: Kafka, topics: Iterable[str], last: int) -> list[ConsumerRecord]:
    """The newest `last` records of these topics together, the oldest of them first.

    Raises Unavailable.
    """
    found: list[ConsumerRecord] = []
    async with reader(kafka) as consumer:
        await learn(consumer, topics)
        tps = [TopicPartition(name, p) for name in topics for p in _partitions(consumer, name)]
        consumer.assign(tps)
        begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        for tp in tps:
            consumer.seek(tp, max(begins[tp], ends[tp] - last))
        for tp in tps:
            found += [record async for record in _read_to(consumer, tp, ends[tp])]
    found.sort(key=lambda record: (record.timestamp, record.topic, record.partition, record.offset))
    return found[-last:]


Spans = Mapping[TopicPartition, tuple[int, int]]
"""By partition, the first offset and the one after the last."""


async def spans_between(kafka: Kafka, topics: Iterable[str], begin: int, end: int) -> Spans:
    """Where the records stand that these topics have of the time from `begin` to `end` (epoch ms,
    exclusive), by their own times; raises Unavailable."""
    async with reader(kafka) as consumer:
        await learn(consumer, topics)
        tps = [TopicPartition(name, p) for name in topics for p in _partitions(consumer, name)]
        firsts = await consumer.offsets_for_times(dict.fromkeys(tps, begin))
        lasts = await consumer.offsets_for_times(dict.fromkeys(tps, end))
        ends = await consumer.end_offsets(tps)
        found = {}
        for tp in tps:
            first, last = firsts[tp], lasts[tp]
            span = (
                ends[tp] if first is None else first.offset,
                ends[tp] if last is None else last.offset,
            )
            if span[0] < span[1]:
                found[tp] = span
        return found


async def read_spans(kafka: Kafka, spans: Spans) -> AsyncIterator[ConsumerRecord]:
    """What is left in these spans, partition by partition in the order of offsets; raises
    Unavailable."""
    async with reader(kafka) as consumer:
        await learn(consumer, {tp.topic for tp in spans})
        consumer.assign(list(spans))
        begins, ends = await consumer.beginning_offsets(spans), await consumer.end_offsets(spans)
        for tp, (first, _) in spans.items():
            consumer.seek(tp, min(max(first, begins[tp]), ends[tp]))
        for tp, (_, last) in spans.items():
            async for record in _read_to(consumer, tp, min(last, ends[tp])):
                yield record


async def topics_of_others(brokers: Brokers) -> Mapping[str, int]:
    """Topics that are none of Tocsin's, as sources see them: by name, with how many partitions each
    has; raises Unavailable."""
    async with reader(brokers.unprefixed) as consumer:
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001
        return {
            name: len(cluster.partitions_for_topic(name) or ())
            for name in cluster.topics()
            if not is_ours(name, brokers.prefix)
        }


def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    return sorted(consumer.partitions_for_topic(topic) or ())


async def _read_to(
    consumer: AIOKafkaConsumer, tp: TopicPartition, end: int
) -> AsyncIterator[ConsumerRecord]:
    while await consumer.position(tp) < end:
        for records in (await consumer.getmany(tp, timeout_ms=500)).values():
            for record in records:
                if record.offset < end:
                    yield record
