"""Topics of before: that they are there, and what nobody has read in them."""

import logging
from collections.abc import AsyncIterator

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import administrator, reader
from pipeline.producing.producer import Producer, start_producer
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import FORMER, Topic, changelog, group_of
from tables.former_topics import FormerTopic, former_topics, refuse_unread, said_of
from tables.storage.store import FRONTIER, OFFSET
from tests.agents.names import unique
from tests.patience import until_told

STOPS, LOW = "stops", "broadcasts.low"
LONG_AGO = -60_000
"""By which all that was written is too old for Kafka to know who read it."""


async def write(settings: Settings, topic: str, *partitions: int) -> None:
    producer: Producer = await start_producer(settings.brokers)
    try:
        for number in partitions:
            await producer.write(topic, number, [(b"key", b"{}")])
    finally:
        await producer.stop()


async def commit(settings: Settings, topic: str, partition: int, offset: int) -> None:
    """As a decider would."""
    tp = TopicPartition(topic, partition)
    async with reader(settings.brokers, group_id=group_of("decider")) as consumer:
        consumer.assign([tp])
        await consumer.commit({tp: offset})


async def create_former(settings: Settings, *names: str) -> None:
    """As an older version had them."""
    topics = [Topic(name=name, key="", written_by="", read_by="") for name in names]
    await create_topics(settings, topics)
    async with administrator(settings.brokers) as admin:
        await until_told(admin.list_topics, lambda found: {*names} <= {*found})


@pytest.fixture
async def settings(kafka: Kafka) -> AsyncIterator[Settings]:
    """An environment of its own, where nothing is set up."""
    own = Settings(kafka=kafka.address, partitions=2, prefix=f"{unique('former')}.")
    yield own
    async with administrator(own.brokers) as admin:
        await admin.delete_topics(sorted(FORMER.keys() & {*await admin.list_topics()}))


async def test_a_new_installation_has_none(settings: Settings) -> None:
    assert await former_topics(settings) == []
    await refuse_unread(settings, "decider")


async def test_what_is_read_may_go_and_what_is_not_keeps_its_role_from_starting(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create_former(settings, STOPS, LOW)
    empty = await former_topics(settings)
    assert empty == [FormerTopic(topic=LOW), FormerTopic(topic=STOPS)]
    assert said_of(empty).endswith(f"delete what nobody reads any more: {LOW}, {STOPS}.")

    await write(settings, STOPS, 0, 0, 0, 1)
    await commit(settings, STOPS, 0, 1)
    monkeypatch.setattr("tables.former_topics.FORGOTTEN_MS", LONG_AGO)
    found = await former_topics(settings)
    assert found == [FormerTopic(topic=LOW), FormerTopic(topic=STOPS, unread=2, unknown=1)]
    assert "2 in stops" in said_of(found)
    with pytest.raises(Unavailable, match=r"2 in stops\. .* let workers of 0\.5\.0 read them"):
        await refuse_unread(settings, "decider")
    await refuse_unread(settings, "push")

    await commit(settings, STOPS, 0, 3)
    with caplog.at_level(logging.WARNING):
        await refuse_unread(settings, "decider")
    (warning,) = [each.message for each in caplog.records if each.name == refuse_unread.__module__]
    assert "no longer knows whether records were read: 1 in stops" in warning
    assert warning in said_of(await former_topics(settings))


async def test_what_kafka_has_deleted_was_left_by_nobody(settings: Settings) -> None:
    await create_former(settings, STOPS)
    await write(settings, STOPS, 0, 0)
    await commit(settings, STOPS, 0, 0)
    async with administrator(settings.brokers) as admin:
        await admin.delete_records({TopicPartition(STOPS, 0): RecordsToDelete(2)})
    assert await former_topics(settings) == [FormerTopic(topic=STOPS)]


async def test_where_nothing_was_ever_committed_nobody_has_read_what_is_new(
    settings: Settings,
) -> None:
    await create_former(settings, STOPS)
    await write(settings, STOPS, 0, 1, 1)
    await commit(settings, STOPS, 1, 1)
    assert await former_topics(settings) == [FormerTopic(topic=STOPS, unread=2)]
    with pytest.raises(Unavailable, match=r"Nobody has read some records: 2 in stops\."):
        await refuse_unread(settings, "decider")


async def test_what_a_role_has_done_and_had_no_time_to_commit_is_read(settings: Settings) -> None:
    log = changelog("decider")
    await create_former(settings, STOPS)
    await create_topics(settings, [log])
    await write(settings, STOPS, 0, 0, 1, 1)
    await commit(settings, STOPS, 1, 1)
    producer: Producer = await start_producer(settings.brokers)
    try:
        for number, done in ((0, 1), (1, 2)):
            await producer.open(log.name, number)
            row = FRONTIER + STOPS.encode(), OFFSET.pack(done)
            await producer.write(log.name, number, [row])
    finally:
        await producer.stop()
    assert await former_topics(settings) == [FormerTopic(topic=STOPS, unread=1)]
