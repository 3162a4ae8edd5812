"""A write that is not taken must not keep later ones of a process that goes on from being taken."""

import asyncio
import random
from collections.abc import AsyncIterator
from itertools import count

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAuthorizationFailedError

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import administrator
from pipeline.kafka.topic_reading import read_topic
from pipeline.producing.producer import DELIVERY_SECONDS, Producer, _explained, start_producer
from pipeline.settings import Settings
from schemas.errors import NotPermitted, Unavailable
from schemas.topics import Topic
from tests.patience import ended, until

numbers = count()
NOBODY = -1
"""Who leads a partition that has no leader."""
TOO_LARGE = random.Random(1).randbytes(2000)
"""Also when it is compressed."""


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    """A new topic of one partition, which takes batches of up to 1,000 bytes."""
    name = f"refused-writes-{next(numbers)}"
    topic = Topic(name=name, key="", written_by="", read_by="")
    await create_topics(Settings(kafka=kafka.address, partitions=1), [topic])
    async with administrator(kafka.address) as admin:
        small = {"max.message.bytes": "1000"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, small)])
    return name


@pytest.fixture
async def producer(kafka: Kafka) -> AsyncIterator[Producer]:
    """That of a process which a write that failed does not end, such as `tocsin web`."""
    producer = await start_producer(kafka.address)
    yield producer
    await producer.stop()


async def values(kafka: Kafka, topic: str) -> list[bytes | None]:
    """All that the topic has."""
    return [record.value async for record in read_topic(kafka.address, topic)]


async def test_what_follows_a_refused_write_is_taken(
    kafka: Kafka, topic: str, producer: Producer
) -> None:
    assert await producer.write(topic, 0, [(None, b"before")]) == 1
    for _ in range(2):
        with pytest.raises(Unavailable, match="MessageSizeTooLarge"):
            await producer.write(topic, 0, [(None, TOO_LARGE)])
        await producer.write(topic, 0, [(None, b"after")])
        await producer.write(topic, 0, [(None, b"and on")])
    assert await values(kafka, topic) == [b"before", *[b"after", b"and on"] * 2]


async def test_a_write_outlasts_a_partition_without_a_leader(
    kafka: Kafka, topic: str, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the last replica that is in sync is away for longer than a write may take."""
    assert await producer.write(topic, 0, [(None, b"before")]) == 1
    waiting = producer._message_accumulator._batches
    with monkeypatch.context() as away:
        away.setattr(producer.client.cluster, "leader_for_partition", lambda _: NOBODY)
        writing = asyncio.create_task(producer.write(topic, 0, [(None, b"meanwhile")]))
        await until(lambda: any(place.topic == topic for place in waiting))
        (batch,) = next(them for place, them in waiting.items() if place.topic == topic)
        batch._ctime -= 2 * DELIVERY_SECONDS
        for _ in range(2):
            await producer.client.force_metadata_update()
    assert await ended(writing) == 2
    await producer.write(topic, 0, [(None, b"after")])
    assert await values(kafka, topic) == [b"before", b"meanwhile", b"after"]


async def test_who_is_told_to_stop_does_not_wait_for_a_leader_for_ever(
    kafka: Kafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = await start_producer(kafka.address)
    await producer.write(topic, 0, [(None, b"before")])
    monkeypatch.setattr("pipeline.producing.producer.DELIVERY_SECONDS", 0.5)
    monkeypatch.setattr(producer.client.cluster, "leader_for_partition", lambda _: NOBODY)
    with pytest.raises(Unavailable, match="did not acknowledge"):
        await producer.write(topic, 0, [(None, b"meanwhile")])
    await ended(producer.stop())


def test_what_rules_forbid_is_said_with_what_to_do() -> None:
    said = _explained("audit", 0, TopicAuthorizationFailedError("audit"))
    assert isinstance(said, NotPermitted)
    assert "do not allow us to write to audit" in str(said)
    assert "tocsin setup --acls" in str(said)
