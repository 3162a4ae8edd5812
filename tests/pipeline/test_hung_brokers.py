"""Brokers that keep their connections and answer nothing: others are asked instead."""

import asyncio

from aiokafka import TopicPartition
from aiokafka.protocol.group import JoinGroupRequest

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.consuming.membership import NamedConsumer
from pipeline.kafka.clients import REQUEST_MS, new_client, new_consumer
from pipeline.producing.producer import start_producer
from pipeline.settings import Settings
from schemas.topics import Topic
from tests.kafka_proxy import FETCH, PRODUCE, of, proxy_to
from tests.patience import PATIENCE, ended, until

TOPIC = Topic(name="hung-brokers", key="", written_by="", read_by="")
LONGER = 3
"""Times the patience with one request, which is less than whatever ends a process, or a test."""


async def test_a_reader_asks_again_where_a_fetch_is_never_answered(kafka: Kafka) -> None:
    await create_topics(Settings(kafka=kafka.address, partitions=1), [TOPIC])
    producer = await start_producer(kafka.address)
    await producer.write(TOPIC.name, 0, [(b"k", b"v")])
    await producer.stop()
    async with proxy_to(kafka.port) as proxy:
        consumer = new_consumer(proxy.address)
        await consumer.start()
        try:
            consumer.assign([TopicPartition(TOPIC.name, 0)])
            proxy.hold(of(FETCH))
            reading = asyncio.create_task(consumer.getone())
            await until(lambda: bool(proxy.held))
            # That connection stands still for good; others go through.
            proxy.holds = None
            async with asyncio.timeout(LONGER * REQUEST_MS / 1000):
                assert (await reading).value == b"v"
        finally:
            await consumer.stop()


async def test_a_write_that_is_never_answered_is_sent_again_before_its_time_is_up(
    kafka: Kafka,
) -> None:
    await create_topics(Settings(kafka=kafka.address, partitions=1), [TOPIC])
    async with proxy_to(kafka.port) as proxy:
        producer = await start_producer(proxy.address)
        try:
            proxy.hold(of(PRODUCE))
            writing = asyncio.create_task(producer.write(TOPIC.name, 0, [(b"k", b"again")]))
            await until(lambda: bool(proxy.held))
            proxy.holds = None
            await ended(writing)
        finally:
            await producer.stop()


async def test_who_joins_waits_longer_for_the_others_than_for_a_broker(kafka: Kafka) -> None:
    """The second waits for the first, which finishes what it has in hand; and asks only once."""
    await create_topics(Settings(kafka=kafka.address, partitions=1), [TOPIC])
    members = [
        new_client(
            NamedConsumer,
            kafka.address,
            member=None,
            group_id="hung-brokers",
            session_timeout_ms=round(PATIENCE * 1000),
            rebalance_timeout_ms=round(PATIENCE * 1000),
            heartbeat_interval_ms=100,
        )
        for _ in range(2)
    ]
    first, second = members
    await first.start()
    await second.start()
    try:
        first.subscribe([TOPIC.name])
        await until(lambda: bool(first.assignment()))
        # It joins anew only when it is let.
        joining = first._coordinator._do_rejoin_group
        may_join = asyncio.Event()

        async def wait_and_join(subscription: object) -> bool:
            await may_join.wait()
            return bool(await joining(subscription))

        first._coordinator._do_rejoin_group = wait_and_join
        patience = 0.5
        second._client._request_timeout_ms = round(patience * 1000)
        joins = 0
        send = second._client.send

        async def counting(node: int, request: object, **options: object) -> object:
            nonlocal joins
            joins += isinstance(request, JoinGroupRequest)
            return await send(node, request, **options)

        second._client.send = counting
        second.subscribe([TOPIC.name])
        await until(lambda: joins > 0)
        await asyncio.sleep(LONGER * patience)
        may_join.set()
        await until(lambda: second._coordinator.generation > 0)
        # Kafka asks who is new to come back with the id that it gave it.
        assert joins <= 2
    finally:
        for member in members:
            await member.stop()
