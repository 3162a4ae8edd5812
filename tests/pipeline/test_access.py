"""Every way into a Kafka that asks who one is, and what is said where it does not let us in.

Kafka itself is the oracle; certificates, tokens and passwords are checked by it alone.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from pipeline.brokers import Access, Brokers
from pipeline.kafka_clients import administrator
from pipeline.producer import start_producer
from pipeline.settings import Settings
from pipeline.topic_creation import create_topics
from pipeline.topic_reading import read_topic
from pipeline.topics import Topic
from tests.pipeline.secured_kafka import PASSWORD, Authority, SecuredKafka, TokenServer

TOPIC = Topic(name="guarded", key="k", written_by="", read_by="")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tokens() -> Iterator[TokenServer]:
    with TokenServer() as server:
        yield server


@pytest.fixture(scope="module")
async def kafka(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, tokens: TokenServer
) -> AsyncIterator[SecuredKafka]:
    folder = tmp_path_factory.mktemp("secured")
    async with SecuredKafka(folder, authority, f"{tokens.url}/keys") as kafka:
        await create_topics(Settings(kafka=kafka.address, partitions=1), [TOPIC])
        yield kafka


@pytest.fixture
def ways(kafka: SecuredKafka, authority: Authority, tokens: TokenServer) -> dict[str, Brokers]:
    """By their names."""
    alice = Access(
        protocol="SASL_SSL",
        user="alice",
        password=SecretStr(PASSWORD),
        ca_file=authority.file,
        token_url=f"{tokens.url}/token",
        token_scope="write read",
    )
    own = authority.issue("carol")
    certified = Access(protocol="SSL", ca_file=authority.file, certificate_file=own, key_file=own)
    mechanisms = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
    return {each: Brokers(kafka.login, replace(alice, mechanism=each)) for each in mechanisms} | {
        "a certificate": Brokers(kafka.mutual, certified)
    }


@pytest.mark.parametrize(
    "way", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "a certificate"]
)
async def test_each_way_leads_in(ways: dict[str, Brokers], way: str) -> None:
    value = way.encode()
    producer = await start_producer(ways[way])
    try:
        await producer.write(TOPIC.name, 0, [(None, value)])
    finally:
        await producer.stop()
    read = [record.value async for record in read_topic(ways[way], TOPIC.name)]
    assert read[-1] == value
    async with administrator(ways[way]) as admin:
        assert TOPIC.name in await admin.list_topics()
