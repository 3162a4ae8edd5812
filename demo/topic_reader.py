"""Reading a topic from its beginning to its end, with a plain consumer."""

from collections.abc import AsyncIterator, Iterable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

FETCH_BYTES = 8 << 20


async def read_topic(
    kafka: str, topic: str, numbers: Iterable[int]
) -> AsyncIterator[ConsumerRecord]:
    """Every record that these partitions hold now; commits nothing and joins no group."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, max_partition_fetch_bytes=FETCH_BYTES)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in numbers]
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.beginning_offsets(partitions)
        unread = [tp for tp in partitions if starts[tp] < ends[tp]]
        consumer.assign(unread)
        if unread:
            await consumer.seek_to_beginning(*unread)
        while unread:
            for tp, records in (await consumer.getmany(*unread, timeout_ms=500)).items():
                for record in records:
                    if record.offset < ends[tp]:
                        yield record
            unread = [tp for tp in unread if await consumer.position(tp) < ends[tp]]
    finally:
        await consumer.stop()
