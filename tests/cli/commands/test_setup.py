"""`tocsin setup` against topics that are set otherwise: what it says, and what it changes."""

import json
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from embedded.clickhouse import ClickHouse
from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import administrator
from pipeline.settings import Settings
from schemas.errors import ExitCode
from schemas.topics import EVENTS, TOPICS, changelog
from tests.cli.test_main import Ended, run
from tests.patience import until_told
from tests.pipeline.admin.test_topic_alteration import config_in
from tests.tables.test_former_topics import commit, create_former, write

DECIDER = changelog("decider").name


@pytest.fixture
async def spoiled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    """A Kafka where the decider's state would expire, and events are kept for longer."""
    async with Kafka(tmp_path_factory.mktemp("spoiled")) as kafka:
        settings = Settings(kafka=kafka.address, partitions=1)
        async with administrator(kafka.address) as admin:
            config = {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}
            await admin.create_topics([NewTopic(DECIDER, 1, 1, topic_configs=config)])
            await until_told(admin.list_topics, lambda names: DECIDER in names)
            await create_topics(settings, [each for each in TOPICS if each.name != "dead-letters"])
            await until_told(admin.list_topics, lambda names: len(names) == len(TOPICS) - 1)
            longer = {"retention.ms": "1209600000", "retention.bytes": "-1"}
            common = {"segment.ms": "3600000", "message.timestamp.type": "LogAppendTime"}
            large = {"max.message.bytes": "8388608"}
            resource = ConfigResource(ConfigResourceType.TOPIC, "events", longer | common | large)
            await admin.alter_configs([resource])
        await until_told(lambda: config_in(kafka, EVENTS, longer), lambda config: config == longer)
        yield kafka


async def setup(kafka: Kafka, clickhouse: ClickHouse, *options: str) -> Ended:
    """Run it, with lines as long as they get: who runs these tests may set a width."""
    return await run(
        "setup",
        *options,
        COLUMNS=200,
        TOCSIN_KAFKA=kafka.address,
        TOCSIN_PARTITIONS=1,
        TOCSIN_CLICKHOUSE_HOST=clickhouse.host,
        TOCSIN_CLICKHOUSE_PORT=clickhouse.port,
    )


async def test_wrong_topics_are_shown_refused_and_mended(
    spoiled: Kafka, clickhouse: ClickHouse, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tried = await setup(spoiled, clickhouse, "--dry-run")
    assert tried.code == 0
    lines = [" ".join(line.split()) for line in tried.output.splitlines()]
    assert lines[0] == "To be changed:"
    policy = f"{DECIDER} cleanup.policy delete (declared: compact) the state in it would expire"
    assert policy in lines
    chosen = lines[lines.index("Left as they were chosen:") + 1 : -1]
    assert chosen == [
        "events retention.ms 1209600000 (declared: 604800000)",
        "events segment.ms 3600000 (declared: 86400000)",
    ]
    # Delete becomes compact; then how late that is, and two limits of segments, are defaults.
    assert lines[-1].startswith("To do: 1 new topics, 4 changed settings of topics and ")
    worker = await run(
        "worker",
        "decider",
        TOCSIN_DATA_DIR=tmp_path_factory.mktemp("state"),
        TOCSIN_KAFKA=spoiled.address,
        TOCSIN_PARTITIONS=1,
    )
    assert worker.code != 0
    (sentence,) = worker.sentences
    assert f"Topic {DECIDER} has cleanup.policy=delete instead of compact" in sentence
    assert "Nothing was started; `tocsin setup` sets it right" in sentence

    done = json.loads((await setup(spoiled, clickhouse, "--json")).output)
    assert done["created_topics"] == ["dead-letters"]
    assert {each["topic"] for each in done["changed_settings"]} == {DECIDER}
    assert len(done["changed_settings"]) == 4
    assert [each["setting"] for each in done["kept_settings"]] == ["retention.ms", "segment.ms"]

    again = json.loads((await setup(spoiled, clickhouse, "--json")).output)
    assert (again["created_topics"], again["changed_settings"], again["migrations"]) == ([], [], [])
    assert again["kept_settings"] == done["kept_settings"]
    assert again["former_topics"] == []

    settings = Settings(kafka=spoiled.address, partitions=1)
    await create_former(settings, "stops")
    await write(settings, "stops", 0)
    await commit(settings, "stops", 0, 0)
    said = (await setup(spoiled, clickhouse)).output
    assert "Nobody has read some records: 1 in stops. Let workers of 0.5.0 read them" in said
    worker = await run(
        "worker",
        "decider",
        TOCSIN_DATA_DIR=tmp_path_factory.mktemp("state"),
        TOCSIN_KAFKA=spoiled.address,
        TOCSIN_PARTITIONS=1,
    )
    assert worker.code == ExitCode.UNAVAILABLE
    (sentence,) = worker.sentences
    assert "1 in stops. This version does not read them, so nothing was started" in sentence
