"""Two environments in one Kafka, told apart by what their names begin with."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.protocol.api import Request
from aiokafka.protocol.types import Array, Bytes, CompactBytes, Schema, String
from click.testing import CliRunner
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cli.main import tocsin
from embedded.kafka import Kafka
from pipeline.admin.topic_alteration import check_topic_settings, mend_topics
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import administrator
from pipeline.kafka.names import NAMES
from pipeline.process.prerequisites import check_prefix
from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.errors import Misconfigured
from schemas.topics import EVENTS, RESERVED, TOPICS
from tests.patience import PATIENCE, until_told

ROOT = Path(__file__).parents[2]
SIDES = ("left.", "right.")
COUNT = 1000
WORKER = (sys.executable, "-m", "cli", "worker", "intake", "router", "decider")


def variables(kafka: Kafka, side: str, folder: Path) -> dict[str, str]:
    return {
        "TOCSIN_KAFKA": kafka.address,
        "TOCSIN_PREFIX": side,
        "TOCSIN_PARTITIONS": "1",
        "TOCSIN_CATALOGUE": str(ROOT / "catalogue"),
        "TOCSIN_DATA_DIR": str(folder / side),
    }


def event(side: str, number: int) -> bytes:
    return json.dumps(
        {
            "id": f"{side}{number}",
            "type": "order.shipped",
            "actor": "shop",
            "occurred_at": "2026-11-29T12:00:00Z",
            "data": {
                "customer_id": f"{side}user",
                "order_id": str(number),
                "tracking_url": "https://example.com/1",
            },
        }
    ).encode()


@pytest.fixture
async def shared(kafka: Kafka, tmp_path: Path) -> AsyncIterator[dict[str, Settings]]:
    """The settings of each of both environments, whose topics are there."""
    sides = {side: settings_of(variables(kafka, side, tmp_path)) for side in SIDES}
    for settings in sides.values():
        await create_topics(settings, TOPICS)
        await until_there_are(len(TOPICS), settings)
    yield sides
    for settings in sides.values():
        async with administrator(settings.brokers) as admin:
            await admin.delete_topics([topic.name for topic in TOPICS])
        await until_there_are(0, settings)


async def until_there_are(count: int, settings: Settings) -> None:
    async with administrator(settings.brokers) as admin:
        await until_told(admin.list_topics, lambda names: len(names) == count)


def told_of(kafka: Kafka, side: str) -> set[str]:
    """The events that an environment told of, as somebody else's client reads it."""
    consumer = Consumer({"bootstrap.servers": kafka.address, "group.id": "anybody"})
    partition = TopicPartition(f"{side}delivery-events", 0)
    _, end = consumer.get_watermark_offsets(partition, timeout=PATIENCE)
    consumer.assign([TopicPartition(partition.topic, 0, 0)])
    found: set[str] = set()
    at = 0
    while at < end:
        message = consumer.poll(PATIENCE)
        assert message is not None and message.error() is None
        at = message.offset() + 1
        lines = (message.value() or b"").splitlines()
        found |= {str(json.loads(line)["event_id"]) for line in lines}
    consumer.close()
    return found


async def test_nothing_crosses(kafka: Kafka, shared: dict[str, Settings], tmp_path: Path) -> None:
    producer = Producer({"bootstrap.servers": kafka.address})
    for side in SIDES:
        for number in range(COUNT):
            producer.produce(f"{side}events", event(side, number), key=b"shop")
    assert await asyncio.to_thread(producer.flush, PATIENCE) == 0
    workers = [
        await asyncio.create_subprocess_exec(
            *WORKER, env={**os.environ, **variables(kafka, side, tmp_path)}
        )
        for side in SIDES
    ]
    try:
        for side in SIDES:
            wanted = {f"{side}{number}" for number in range(COUNT)}
            await until_told(partial(asyncio.to_thread, told_of, kafka, side), wanted.__eq__)
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [await worker.wait() for worker in workers] == [0, 0]

    admin = AdminClient({"bootstrap.servers": kafka.address})
    for side in SIDES:
        group = ConsumerGroupTopicPartitions(f"{side}tocsin-router")
        (answer,) = admin.list_consumer_group_offsets([group]).values()
        committed = answer.result(PATIENCE).topic_partitions
        assert (f"{side}events", COUNT) in {(each.topic, each.offset) for each in committed}
        assert all(each.topic.startswith(side) for each in committed)


async def test_topics_of_others_are_not_seen_and_ours_are_mended(
    kafka: Kafka, shared: dict[str, Settings]
) -> None:
    left = shared["left."]
    async with administrator(left.brokers) as admin:
        assert set(await admin.list_topics()) == {topic.name for topic in TOPICS}
    await check_topic_settings(left, TOPICS)
    assert not await mend_topics(left, [EVENTS])
    seen = AdminClient({"bootstrap.servers": kafka.address}).list_topics(timeout=PATIENCE).topics
    for side in SIDES:
        wanted = {side + topic.name for topic in TOPICS}
        assert {name for name in seen if name.startswith(side)} == wanted


def test_grants_bear_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_PREFIX", "left.")
    told = CliRunner().invoke(tocsin, ["setup", "--acls", "User:alice", "--json"]).stdout
    found = json.loads(told)
    names = {name for kind in ("run", "set_up") for each in found[kind] for name in each["names"]}
    assert names == {"left.tocsin-"} | {"left." + topic.name for topic in TOPICS}


@pytest.mark.parametrize("wrong", ["staging", "a b.", "x" * 100 + ".", "ü.", "left.\n"])
def test_a_prefix_that_kafka_refuses_or_that_runs_into_names_is_refused(wrong: str) -> None:
    with pytest.raises(Misconfigured, match="TOCSIN_PREFIX can't be used"):
        settings_of({"TOCSIN_PREFIX": wrong})


def test_a_prefix_that_makes_one_topic_s_name_another_s_is_refused() -> None:
    """Or an environment with it would write what one without it reads."""
    for wrong in ("delivery-", "staging.delivery-"):
        with pytest.raises(Misconfigured, match="TOCSIN_PREFIX can't be used"):
            settings_of({"TOCSIN_PREFIX": wrong})
    names = {topic.name for topic in TOPICS}
    for name in names:
        for at in range(1, len(name)):
            assert name[at:] not in names or name[:at] in RESERVED


def test_a_state_folder_belongs_to_one_prefix(tmp_path: Path) -> None:
    check_prefix(tmp_path, "left.")
    check_prefix(tmp_path, "left.")
    with pytest.raises(
        Misconfigured, match=r"has state of TOCSIN_PREFIX=left\., and that is right"
    ):
        check_prefix(tmp_path, "right.")
    older = tmp_path / "older"
    older.mkdir()
    (older / ".worker-name").write_text("worker-1")
    with pytest.raises(Misconfigured, match=r"has state of TOCSIN_PREFIX=\(none\)"):
        check_prefix(older, "left.")
    check_prefix(older, "")


OTHER = {
    "client_id", "client_host", "cluster_id", "config_key", "config_name", "config_names",
    "config_value", "consumer_id", "error_message", "group_instance_id", "group_protocol", "host",
    "leader_id", "mechanism", "enabled_mechanisms", "member_id", "messages", "message_set",
    "metadata", "protocol", "protocol_name", "protocol_type", "rack", "rack_id", "sasl_auth_bytes",
    "state",
}  # fmt: skip
"""What Kafka's client has as a text that names nothing of ours."""
NOT_ASKED = {"Acl", "Quota", "Reassignment"}
"""Kinds of requests that nobody makes here."""


def texts(kind: object, name: str) -> Iterator[str]:
    """The names of all texts in the form of a request or an answer."""
    if isinstance(kind, Schema):
        for inner, field in zip(kind.names, kind.fields, strict=True):
            yield from texts(field, inner)
    elif isinstance(kind, Array):
        yield from texts(kind.array_of, name)
    elif isinstance(kind, String) or kind in (Bytes, CompactBytes):
        yield name


def test_of_every_text_that_goes_over_the_wire_it_is_known_whether_it_is_a_name() -> None:
    found = {
        name
        for request in Request.__subclasses__()
        if not any(kind in request.__name__ for kind in NOT_ASKED)
        for struct in request._CLASSES
        for schema in (struct.SCHEMA, struct.RESPONSE_TYPE.SCHEMA)
        for name in texts(schema, "")
    }
    in_groups = {"protocol_metadata", "member_metadata", "member_assignment"}
    assert found - OTHER == NAMES | in_groups | {"resource_name", "name"}
    assert ConsumerProtocol.METADATA.SCHEMA.names == ("version", "subscription", "user_data")
