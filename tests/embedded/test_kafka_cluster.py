"""Three brokers: what was acknowledged survives any one of them, and nothing is on one alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from embedded.kafka_cluster import KafkaCluster
from pipeline.admin.topic_alteration import mend_topics
from pipeline.admin.topic_creation import create_topics
from pipeline.admin.topic_settings import config_of
from pipeline.kafka.clients import administrator
from pipeline.kafka.topic_reading import read_topic
from pipeline.producing.producer import Producer, start_producer
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import Topic
from tests.patience import until_told

TOPIC = Topic(name="three-brokers", key="", written_by="", read_by="")


@pytest.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaCluster]:
    """Three running brokers with a topic of one partition; what a test stops it starts again."""
    async with KafkaCluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


async def leader_of(cluster: KafkaCluster) -> tuple[int, set[int]]:
    """Which broker leads the partition, and which are in sync; 0 where nobody answers or leads."""
    try:
        async with administrator(cluster.address) as admin:
            topics = await admin.describe_topics([TOPIC.name])
    except (KafkaError, Unavailable):
        return 0, set()
    partitions = topics[0]["partitions"] if topics else ()
    if not partitions:  # a broker that has not heard of it yet
        return 0, set()
    (partition,) = partitions
    return partition["leader"], set(partition["isr"])


async def in_sync(cluster: KafkaCluster, *numbers: int) -> int:
    """Wait until just these brokers are in sync and one of them leads; returns which."""
    leader, _ = await until_told(
        lambda: leader_of(cluster),
        lambda told: told[1] == set(numbers) and told[0] in numbers,
    )
    return leader


async def write(producer: Producer, value: bytes) -> None:
    """Write it, however often that takes: who writes at the wrong moment is told to try again."""
    while True:
        try:
            await producer.write(TOPIC.name, 0, [(None, value)])
        except Unavailable:
            continue
        return


async def require(cluster: KafkaCluster, in_sync: int) -> None:
    """Set how many brokers must have a record."""
    config = config_of(TOPIC, 3) | {"min.insync.replicas": str(in_sync)}
    async with administrator(cluster.address) as admin:
        topic = ConfigResource(ConfigResourceType.TOPIC, TOPIC.name, config)
        await admin.alter_configs([topic])

        async def found() -> str:
            ((*_, entries),) = (await admin.describe_configs([topic]))[0].resources
            return next(str(each[1]) for each in entries if each[0] == "min.insync.replicas")

        await until_told(found, lambda value: value == str(in_sync))


async def test_what_was_acknowledged_survives_the_leader_and_never_was_on_it_alone(
    cluster: KafkaCluster,
) -> None:
    settings = Settings(kafka=cluster.address, partitions=1, replication=3)
    await create_topics(settings, [TOPIC])
    leader = await in_sync(cluster, 1, 2, 3)
    assert await mend_topics(settings, [TOPIC]) == []
    producer = await start_producer(cluster.address)
    try:
        await write(producer, b"before")
        await cluster.broker(leader).kill()
        await write(producer, b"without its leader")
        await in_sync(cluster, *{1, 2, 3} - {leader})
        # As many as there are must have it; two that are away would leave no controller either.
        await require(cluster, 3)
        late = asyncio.create_task(write(producer, b"once there are three again"))
        done, _ = await asyncio.wait([late], timeout=5)
        assert not done, "acknowledged by fewer brokers than must have it"
        await cluster.broker(leader).start()
        await late
        await in_sync(cluster, 1, 2, 3)
        await write(producer, b"after")
    finally:
        await producer.stop()
    values = [record.value async for record in read_topic(cluster.address, TOPIC.name)]
    # What was tried again may be there twice, as its answer could have been lost.
    assert list(dict.fromkeys(values)) == [
        b"before",
        b"without its leader",
        b"once there are three again",
        b"after",
    ]
