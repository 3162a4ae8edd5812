"""A record that is made of what was kept of it looks as Kafka's client gave it."""

from aiokafka import ConsumerRecord

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.topic_reading import read_topic
from pipeline.producing.producer import start_producer
from pipeline.records.made_record import make_record
from pipeline.settings import Settings
from schemas.topics import Topic


async def test_it_is_the_record_that_stood_there(kafka: Kafka) -> None:
    topic = Topic(name="made-record", key="", written_by="", read_by="")
    await create_topics(Settings(kafka=kafka.address, partitions=1), [topic])
    producer = await start_producer(kafka.address)
    try:
        for key, value, headers in (
            (b"key", b"a value", [("trace", b"1")]),
            (None, b"a value", []),
            (b"key", None, []),
        ):
            await producer.send_and_wait(topic.name, value, key, 0, headers=headers)
    finally:
        await producer.stop()
    records = [record async for record in read_topic(kafka.address, topic.name)]
    assert len(records) == 3
    for stood in records:
        made = make_record(
            ConsumerRecord,
            *(stood.topic, stood.partition, stood.offset, stood.timestamp),
            *(stood.key, stood.value, stood.headers),
        )
        assert (made.topic, made.partition, made.offset) == ("made-record", 0, stood.offset)
        assert (made.timestamp, made.timestamp_type) == (stood.timestamp, stood.timestamp_type)
        assert (made.key, made.value, made.headers) == (stood.key, stood.value, stood.headers)
        assert made.checksum == stood.checksum
        assert made.serialized_key_size == max(0, stood.serialized_key_size)
        assert made.serialized_value_size == max(0, stood.serialized_value_size)


def test_no_headers_are_none() -> None:
    made = make_record(ConsumerRecord, "t", 1, 2, 3, None, b"v")
    assert tuple(made.headers) == ()
    assert (made.topic, made.partition, made.offset, made.timestamp) == ("t", 1, 2, 3)
