"""Readers and administrators of a block: made as they are asked for, ended with it, explained."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.brokers import Kafka as Addresses
from pipeline.kafka.clients import administrator, new_consumer, reader
from pipeline.producing.producer import start_producer
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import Topic

TOPIC = Topic(name="kafka-clients", key="", written_by="", read_by="")
NOWHERE = "127.0.0.1:1"


async def test_a_reader_is_what_it_was_asked_to_be_and_ends_with_its_block(kafka: Kafka) -> None:
    await create_topics(Settings(kafka=kafka.address, partitions=1), [TOPIC])
    producer = await start_producer(kafka.address)
    await producer.write(TOPIC.name, 0, [(None, b"%d" % n) for n in range(3)])
    await producer.stop()
    tp = TopicPartition(TOPIC.name, 0)
    async with reader(kafka.address, TOPIC.name, group_id="kafka-clients") as plain:
        first = await plain.getone()
        assert first.value == b"0", "without more it begins at the start"
        await plain.commit({tp: 2})
    async with reader(kafka.address, group_id="kafka-clients") as member:
        assert await member.committed(tp) == 2
    async with reader(kafka.address, group_id="another") as stranger:
        assert await stranger.committed(tp) is None
    async with reader(kafka.address, auto_offset_reset="latest") as late:
        late.assign([tp])
        assert await late.position(tp) == 3
    assert late._closed


async def test_a_consumer_commits_nothing_and_skips_nothing_by_itself() -> None:
    plain = new_consumer(NOWHERE)
    other = new_consumer(NOWHERE, auto_offset_reset="none")
    assert (plain._enable_auto_commit, plain._auto_offset_reset) == (False, "earliest")
    assert (other._enable_auto_commit, other._auto_offset_reset) == (False, "none")
    plain._closed = other._closed = True


async def test_what_kafka_raises_within_a_block_is_said_as_somebody_can_act_on_it(
    kafka: Kafka,
) -> None:
    with pytest.raises(Unavailable, match=f"does not answer at {kafka.address}.*TOCSIN_KAFKA"):
        async with reader(kafka.address):
            await asyncio.sleep(0)
            raise KafkaConnectionError("gone")
    with pytest.raises(Unavailable, match=f"does not answer at {kafka.address}"):
        async with administrator(kafka.address):
            await asyncio.sleep(0)
            raise KafkaConnectionError("gone")

    def explain(address: Addresses, error: KafkaError) -> Unavailable:
        return Unavailable(f"no copy from {address}: {error!r}")

    with pytest.raises(Unavailable, match=r"no copy from .*gone"):
        async with reader(kafka.address, explain=explain):
            await asyncio.sleep(0)
            raise KafkaConnectionError("gone")
    with pytest.raises(Unavailable, match=r"no copy from .*gone"):
        async with administrator(kafka.address, explain):
            await asyncio.sleep(0)
            raise KafkaConnectionError("gone")


async def test_what_is_raised_by_others_is_left_as_it_is(kafka: Kafka) -> None:
    with pytest.raises(ValueError, match="mine"):
        async with reader(kafka.address):
            await asyncio.sleep(0)
            raise ValueError("mine")


async def test_a_kafka_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match=f"does not answer at {NOWHERE}"):
        async with reader(NOWHERE):
            pytest.fail("started")
    with pytest.raises(Unavailable, match=f"does not answer at {NOWHERE}"):
        async with administrator(NOWHERE):
            pytest.fail("started")
