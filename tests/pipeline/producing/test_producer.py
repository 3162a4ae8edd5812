"""What is written while a broker is busy leaves together, with the next request."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import pytest
from aiokafka.protocol.produce import ProduceRequest
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as KafkaPartition

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.topic_reading import read_topic
from pipeline.producing.producer import Producer, start_producer
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import Topic
from tests.kafka_proxy import METADATA, PRODUCE, KafkaProxy, of, proxy_to
from tests.patience import PATIENCE, ended, until

PARTITIONS = 3
numbers = count()


class Wire:
    """A topic, and a producer whose requests are counted and can be held."""

    def __init__(self, topic: str, producer: Producer, proxy: KafkaProxy) -> None:
        self.topic = topic
        self.producer = producer
        self.proxy = proxy
        self.requests: list[int] = []
        """How many batches each has."""
        send = producer.client.send

        async def seen(node: int, request: object, **options: object) -> object:
            if isinstance(request, ProduceRequest):
                self.requests.append(sum(len(parts) for _, parts in request._topics))
            return await send(node, request, **options)

        producer.client.send = seen

    def write(self, partition: int, value: bytes) -> "asyncio.Task[int]":
        return asyncio.create_task(self.producer.write(self.topic, partition, [(None, value)]))

    async def keep_busy(self) -> "asyncio.Task[int]":
        """The first write, whose request is under way until the proxy lets it go."""
        self.proxy.hold(of(PRODUCE))
        first = self.write(0, b"first")
        await until(lambda: self.requests == [1])
        return first


async def made(kafka: Kafka) -> str:
    """A new topic."""
    topic = Topic(name=f"producer-{next(numbers)}", key="k", written_by="", read_by="")
    await create_topics(Settings(kafka=kafka.address, partitions=PARTITIONS), [topic])
    return topic.name


@pytest.fixture
async def wire(kafka: Kafka) -> AsyncIterator[Wire]:
    topic = await made(kafka)
    async with proxy_to(kafka.port) as proxy:
        producer = await start_producer(proxy.address)
        yield Wire(topic, producer, proxy)
        proxy.let_go()
        await producer.stop()


async def test_all_partitions_share_the_next_request_and_each_has_one_batch_of_it(
    wire: Wire,
) -> None:
    first = await wire.keep_busy()
    waiting = [wire.write(partition, b"%d" % n) for n in range(4) for partition in range(3)]
    await asyncio.sleep(0)
    wire.proxy.let_go()
    assert await ended(first) == 1
    ends = [await ended(writing) for writing in waiting]
    assert ends == [2, 1, 1, 3, 2, 2, 4, 3, 3, 5, 4, 4]
    assert wire.requests == [1, 3]
    read = [record async for record in read_topic(wire.proxy.address, wire.topic)]
    assert {n: [r.value for r in read if r.partition == n] for n in range(3)} == {
        0: [b"first", b"0", b"1", b"2", b"3"],
        1: [b"0", b"1", b"2", b"3"],
        2: [b"0", b"1", b"2", b"3"],
    }


async def test_who_is_told_to_stop_writes_what_still_waits(wire: Wire) -> None:
    first = await wire.keep_busy()
    waiting = wire.write(0, b"waiting")
    stopping = asyncio.create_task(wire.producer.stop())
    await asyncio.sleep(0)
    wire.proxy.let_go()
    await ended(stopping)
    assert (await first, await waiting) == (1, 2)
    with pytest.raises(Unavailable, match="ProducerClosed"):
        await wire.write(0, b"late")


async def test_a_write_that_is_cancelled_before_its_partition_is_known_is_forgotten(
    wire: Wire, kafka: Kafka
) -> None:
    """As of a worker that is told to stop while it opens its partitions: it must not wait."""
    wire.topic = await made(kafka)  # after the client has learned of all topics
    wire.proxy.hold(of(METADATA))
    writing = wire.write(0, b"early")
    await until(lambda: any(wire.producer._waiting.values()))
    writing.cancel()
    await asyncio.wait([writing])
    assert writing.cancelled()
    assert not any(wire.producer._waiting.values())
    wire.proxy.let_go()
    assert await ended(wire.write(0, b"late")) == 1


async def test_a_topic_that_is_not_there_is_told_to_who_writes_there_and_nobody_else(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await ended(wire.write(1, b"before")) == 1
    # Of what is asked about topics alone: the connection has its own by now.
    monkeypatch.setattr(wire.producer.client, "_request_timeout_ms", 300)
    nowhere = asyncio.create_task(wire.producer.write("not-there", 0, [(None, b"lost")]))
    assert await ended(wire.write(1, b"kept")) == 2
    with pytest.raises(Unavailable, match="UnknownTopicOrPartition"):
        await ended(nowhere)


async def test_what_waits_fails_with_a_client_that_can_not_go_on(
    wire: Wire,
) -> None:
    first = await wire.keep_busy()
    waiting = wire.write(0, b"waiting")
    await asyncio.sleep(0)
    wire.producer._message_accumulator.fail_all(RuntimeError("broken"))
    for writing in (first, waiting, wire.write(1, b"later")):
        with pytest.raises(RuntimeError, match="broken"):
            await ended(writing)


async def test_a_topic_stays_known_whatever_else_the_client_is_asked_about(wire: Wire) -> None:
    """Until it is asked about one, the client knows all; then only what it was asked about."""
    assert await ended(wire.write(0, b"before")) == 1
    await wire.producer.client.add_topic("another")
    await wire.producer.client.force_metadata_update()
    assert await ended(wire.write(0, b"after")) == 2


async def test_what_is_written_is_compressed_and_read_by_any_client(
    kafka: Kafka,
) -> None:
    values = [
        b'{"user":"u-%d","outcome":"delivered","channel":"push"}' % each for each in range(999)
    ]
    topic, producer = await made(kafka), await start_producer(kafka.address)
    await producer.write(topic, 0, [(None, value) for value in values])
    await producer.write(topic, 0, [(None, b"small")])
    await producer.stop()
    assert await asyncio.to_thread(read_by_librdkafka, kafka.address, topic, 1000) == [
        *values,
        b"small",
    ]
    log = kafka._data / f"{topic}-0" / f"{0:020}.log"
    assert log.stat().st_size < sum(map(len, values)) / 5


def read_by_librdkafka(kafka: str, topic: str, count: int) -> list[bytes | None]:
    """The values of a topic's first partition; librdkafka checks the sums of what it unpacks."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "any", "check.crcs": True})
    consumer.assign([KafkaPartition(topic, 0, 0)])
    try:
        return [record.value() for record in consumer.consume(count, timeout=PATIENCE)]
    finally:
        consumer.close()
