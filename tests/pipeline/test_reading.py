"""Ranges of a topic: what they begin with is in them, and what they end at is not."""

import asyncio
import time
from itertools import count

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.topic_reading import _read_to, read_record, read_topic
from pipeline.records.history import History
from pipeline.settings import Settings
from schemas.topics import Topic

PARTITIONS = 2
numbers = count()


async def new_topic(kafka: Kafka) -> str:
    """The name of a topic that nobody else has."""
    topic = Topic(name=f"reading-{next(numbers)}", key="", written_by="", read_by="")
    await create_topics(Settings(kafka=kafka.address, partitions=PARTITIONS), [topic])
    return topic.name


async def write(kafka: Kafka, *records: tuple[str, int, bytes]) -> list[int]:
    """Write topic, partition and value; returns when (epoch ms) Kafka took each, all different."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address)
    await producer.start()
    taken: list[int] = []
    for topic, partition, value in records:
        sent = await producer.send_and_wait(topic, value, partition=partition)
        taken.append(sent.timestamp)
        while time.time_ns() // 1_000_000 <= sent.timestamp:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    await producer.stop()
    return taken


async def test_a_span_of_time_holds_what_kafka_took_from_its_begin_to_before_its_end(
    kafka: Kafka,
) -> None:
    one, two = await new_topic(kafka), await new_topic(kafka)
    topics = [Topic(name=name, key="", written_by="", read_by="") for name in (one, two)]
    places = [(one, 0), (one, 0), (two, 1), (one, 1), (one, 0), (two, 1), (one, 0), (two, 0)]
    taken = await write(kafka, *((*place, b"%d" % n) for n, place in enumerate(places)))
    for first, last in ((1, 6), (0, 1), (3, 3), (0, 7)):
        async with History(kafka.address, topics, taken[first], taken[last]) as history:
            assert history.total == last - first
            values = [record.value async for record in history.records()]
        assert values == [b"%d" % n for n in range(first, last)]
    async with History(kafka.address, topics, taken[6], taken[7] + 60_000) as history:
        assert [record.value async for record in history.records()] == [b"6", b"7"]
    async with History(kafka.address, topics, taken[7] + 1, taken[7] + 60_000) as history:
        assert history.total == 0
        assert [record async for record in history.records()] == []


async def test_one_record_is_read_where_there_is_one(kafka: Kafka) -> None:
    name = await new_topic(kafka)
    await write(kafka, *((name, 0, value) for value in (b"a", b"b", b"c")))
    found = [await read_record(kafka.address, name, 0, at) for at in (-1, 0, 2, 3, 4)]
    assert [record and record.value for record in found] == [None, b"a", b"c", None, None]
    assert await read_record(kafka.address, name, 1, 0) is None


async def test_a_topic_is_read_to_the_end_of_each_partition(kafka: Kafka) -> None:
    name = await new_topic(kafka)
    assert [each async for each in read_topic(kafka.address, name)] == []
    await write(kafka, (name, 0, b"a"), (name, 1, b"b"), (name, 0, b"c"))
    found = [(each.partition, each.value) async for each in read_topic(kafka.address, name)]
    assert sorted(found) == [(0, b"a"), (0, b"c"), (1, b"b")]


class Growing:
    """A consumer that brings what was written after its reader asked for the end, too."""

    def __init__(self, *fetches: range) -> None:
        self._fetches = list(fetches)
        self._at = 0

    async def position(self, tp: TopicPartition) -> int:
        """After what was brought last."""
        return self._at

    async def getmany(
        self, tp: TopicPartition, timeout_ms: int
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """The next fetch."""
        offsets = self._fetches.pop(0)
        self._at = offsets.stop
        return {tp: [ConsumerRecord(*tp, at, 0, 0, b"", b"", None, 0, 0, ()) for at in offsets]}


@pytest.mark.parametrize(
    ("fetches", "end", "offsets"),
    [
        ((range(5),), 5, [0, 1, 2, 3, 4]),
        ((range(5),), 4, [0, 1, 2, 3]),
        ((range(2), range(2, 9)), 3, [0, 1, 2]),
        ((range(2), range(2, 3)), 3, [0, 1, 2]),
        ((), 0, []),
    ],
)
async def test_what_was_written_after_it_began_is_not_read(
    fetches: tuple[range, ...], end: int, offsets: list[int]
) -> None:
    tp = TopicPartition("t", 0)
    read = _read_to(Growing(*fetches), tp, end)
    assert [record.offset async for record in read] == offsets
