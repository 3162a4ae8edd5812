"""Topics: where keys go, and that what exists is as declared."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from embedded.kafka import Kafka
from pipeline.clock import SystemClock
from pipeline.errors import Misconfigured, Unavailable
from pipeline.outputs import partition_of
from pipeline.producer import start_producer
from pipeline.settings import Settings
from pipeline.topic_creation import create_topics
from pipeline.topic_reading import read_topic
from pipeline.topics import TOPICS, Topic


@given(st.text(min_size=1), st.integers(1, 64))
def test_keys_go_where_every_kafka_client_puts_them(key: str, partitions: int) -> None:
    numbers = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key.encode(), numbers, numbers)


def test_names_are_unique() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))


async def test_topics_are_created_once_with_their_configuration(kafka: Kafka) -> None:
    settings = Settings(kafka=kafka.address, partitions=3)
    topic = Topic(
        name="creation-test", key="k", written_by="", read_by="", compacted=True, retention_ms=1000
    )
    assert await create_topics(settings, [topic]) == ["creation-test"]
    assert await create_topics(settings, [topic]) == []


async def test_kafka_says_when_it_took_a_record_whatever_its_producer_says(kafka: Kafka) -> None:
    topic = Topic(name="clock-test", key="k", written_by="", read_by="")
    await create_topics(Settings(kafka=kafka.address, partitions=1), [topic])
    producer = await start_producer(kafka.address)
    before = SystemClock().now()
    await producer.send_and_wait("clock-test", b"from 1970", key=b"k", timestamp_ms=1)
    await producer.stop()
    (record,) = [record async for record in read_topic(kafka.address, "clock-test")]
    assert before - 1000 <= record.timestamp <= SystemClock().now() + 1000


async def test_another_partition_count_is_refused(kafka: Kafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    await admin.create_topics([NewTopic("count-test", 5, 1)])
    await admin.close()
    topic = Topic(name="count-test", key="k", written_by="", read_by="")
    with pytest.raises(Misconfigured, match="TOCSIN_PARTITIONS=5"):
        await create_topics(Settings(kafka=kafka.address, partitions=8), [topic])


async def test_no_broker_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match="TOCSIN_KAFKA"):
        await create_topics(Settings(kafka="127.0.0.1:1"), [])
