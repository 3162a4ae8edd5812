"""A Kafka that allows what is printed, and nothing else."""

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from agents.check.findings import Finding, State
from agents.check.kafka import check_kafka
from cli.main import tocsin
from pipeline.admin.rights import check_reading
from pipeline.admin.topic_creation import check_topics, create_topics
from pipeline.kafka.topic_reading import read_topic
from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.errors import ExitCode, NotPermitted
from schemas.topics import DELIVERY_EVENTS, TOPICS
from tests.certificates import Authority
from tests.patience import PATIENCE
from tests.pipeline.secured_kafka import PASSWORD, SecuredKafka, TokenServer

ROOT = Path(__file__).parents[3]
EVENT = {
    "id": "order-1",
    "type": "order.shipped",
    "actor": "shop",
    "occurred_at": "2026-11-29T12:00:00Z",
    "data": {"customer_id": "ada", "order_id": "1", "tracking_url": "https://example.com/1"},
}


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredKafka]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    folder = tmp_path_factory.mktemp("guarded")
    with TokenServer() as tokens:
        async with SecuredKafka(folder, authority, f"{tokens.url}/keys", has_rules=True) as kafka:
            yield kafka


def variables(kafka: SecuredKafka) -> dict[str, str]:
    return {
        "TOCSIN_KAFKA": kafka.login,
        "TOCSIN_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "TOCSIN_KAFKA_USER": "alice",
        "TOCSIN_KAFKA_PASSWORD": PASSWORD,
        "TOCSIN_KAFKA_CA_FILE": str(kafka.trusted),
        "TOCSIN_PARTITIONS": "1",
        "TOCSIN_CATALOGUE": str(ROOT / "catalogue"),
    }


def printed(*more: str) -> str:
    return CliRunner().invoke(tocsin, ["setup", "--acls", "User:alice", *more]).stdout


def bindings(text: str) -> Iterator[AclBinding]:
    """What the printed commands ask for, read as their documentation says."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        given: dict[str, list[str]] = {}
        for option, value in zip(words, [*words[1:], ""], strict=True):
            if option.startswith("--"):
                given.setdefault(option, []).append(value)
        assert words[0] == "kafka-acls.sh"
        assert "--add" in given
        pattern = given.get("--resource-pattern-type", ["literal"])[0]
        (principal,) = given["--allow-principal"]
        for option, kind in (
            ("--topic", ResourceType.TOPIC),
            ("--group", ResourceType.GROUP),
            ("--transactional-id", ResourceType.TRANSACTIONAL_ID),
        ):
            for name in given.get(option, ()):
                for operation in given["--operation"]:
                    yield AclBinding(
                        kind, name, ResourcePatternType[pattern.upper()], principal, "*",
                        OPERATIONS[operation], AclPermissionType.ALLOW,
                    )  # fmt: skip


OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "AlterConfigs": AclOperation.ALTER_CONFIGS,
}


async def allow(kafka: SecuredKafka, text: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.address})
    done = admin.create_acls(list(bindings(text))).values()
    await asyncio.to_thread(lambda: [each.result(PATIENCE) for each in done])


async def is_decided(settings: Settings) -> bool:
    """Whether something is told of the event."""
    told = [record.value async for record in read_topic(settings.brokers, DELIVERY_EVENTS.name)]
    return any(b'"order-1"' in value for value in told)


async def grants_of(settings: Settings) -> Finding:
    """What `tocsin check` says of them."""
    return next(
        iter([each async for each in check_kafka(settings) if each.subject == "Kafka's grants"])
    )


async def test_with_what_is_printed_all_is_set_up_and_an_event_goes_through(
    kafka: SecuredKafka, tmp_path: Path
) -> None:
    environment = {**os.environ, **variables(kafka), "TOCSIN_DATA_DIR": str(tmp_path)}
    argv = (sys.executable, "-m", "cli", "worker", "intake", "router", "decider")
    await create_topics(Settings(kafka=kafka.address, partitions=1), TOPICS)
    refused = await asyncio.create_subprocess_exec(
        *argv, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await refused.communicate()
    assert refused.returncode not in (0, None)
    assert "Kafka's rules at" in said.decode().splitlines()[-1]
    assert "tocsin setup --acls" in said.decode()

    settings = settings_of(variables(kafka))
    grants = await grants_of(settings)
    assert grants.state is State.FAILED
    assert grants.found.startswith(f"{len(TOPICS) + 2} are missing: Read, Write, Describe, ")
    assert "tocsin setup --acls" in grants.todo

    without_groups = "\n".join(
        line for line in printed().replace("\\\n", " ").splitlines() if "--group" not in line
    )
    await allow(kafka, without_groups)
    refused = await asyncio.create_subprocess_exec(
        *argv, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, said = await refused.communicate()
    assert refused.returncode == ExitCode.NO_PERMISSION
    assert "do not allow it (GroupAuthorizationFailedError)" in said.decode().splitlines()[-1]
    grants = await grants_of(settings)
    assert grants.found == "1 are missing: Read, Describe on groups that begin with tocsin-"

    await allow(kafka, printed())
    assert (await grants_of(settings)).state is State.OK
    await create_topics(settings, TOPICS)
    await check_topics(settings, TOPICS)
    worker = await asyncio.create_subprocess_exec(*argv, env=environment)
    try:
        producer = Producer({"bootstrap.servers": kafka.address})
        producer.produce("events", json.dumps(EVENT).encode(), key=b"shop")
        assert await asyncio.to_thread(producer.flush, PATIENCE) == 0
        while not await is_decided(settings):
            assert worker.returncode is None
            await asyncio.sleep(0.5)  # each look logs in anew
    finally:
        worker.send_signal(signal.SIGTERM)
        assert await worker.wait() == 0


async def test_whoever_else_may_write_to_internal_topics_is_named(kafka: SecuredKafka) -> None:
    settings = settings_of(variables(kafka))
    await create_topics(Settings(kafka=kafka.address, partitions=1), TOPICS)
    await allow(kafka, printed())

    async def writers() -> Finding:
        found = [each async for each in check_kafka(settings)]
        return next(each for each in found if each.subject == "Writers of topics")

    hidden = await writers()
    assert (hidden.state, "Describe on the cluster" in hidden.todo) == (State.SKIPPED, True)
    await permit(kafka, (ResourceType.BROKER, "kafka-cluster", "User:alice", AclOperation.DESCRIBE))
    assert (await writers()).state is State.OK
    await permit(
        kafka,
        (ResourceType.TOPIC, "events", "User:shop", AclOperation.WRITE),
        (ResourceType.TOPIC, "placed.router", "User:mallory", AclOperation.WRITE),
    )
    found = await writers()
    assert (found.state, found.found) == (
        State.WARNING,
        "others may write to internal topics: User:mallory placed.router",
    )


async def test_a_topic_that_may_not_be_read_is_named_before_a_role_is_ready(
    kafka: SecuredKafka,
) -> None:
    settings = settings_of(variables(kafka) | {"TOCSIN_PREFIX": "guarded."})
    await check_reading(kafka.address, ["events"])  # in the clear nobody is asked
    with pytest.raises(NotPermitted, match=r"missing is Read on events\. Nothing"):
        await check_reading(settings.brokers, ["events"])
    allowed = ResourceType.TOPIC, "guarded.events", "User:alice", AclOperation.READ
    await permit(kafka, allowed)
    await check_reading(settings.brokers, ["events"])


async def permit(kafka: SecuredKafka, *rules: tuple[Any, str, str, Any]) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.address})
    pattern, allowed = ResourcePatternType.LITERAL, AclPermissionType.ALLOW
    made = [AclBinding(kind, name, pattern, who, "*", op, allowed) for kind, name, who, op in rules]
    await asyncio.to_thread(lambda: [f.result(PATIENCE) for f in admin.create_acls(made).values()])


def test_every_topic_is_in_it_and_lines_fit_a_terminal() -> None:
    text = printed()
    assert max(map(len, text.splitlines())) <= 80
    named = {each.name for each in bindings(text) if each.restype is ResourceType.TOPIC}
    assert named == {topic.name for topic in TOPICS}


def test_as_json_it_is_the_same() -> None:
    found = json.loads(printed("--json"))
    assert found["principal"] == "User:alice"
    assert [each["resource"] for each in found["run"]] == ["topic", "group", "transactional-id"]
    assert found["set_up"][0]["operations"] == ["Create", "AlterConfigs"]
