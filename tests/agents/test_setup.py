"""Setting up: what a dry run says is what is done, and then there is nothing left to do."""

from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import NewTopic

from agents.setup import SetUp, set_up
from analytics.clickhouse import ClickHouse
from analytics.migration import migrate, migrations
from embedded.clickhouse import ClickHouse as Server
from pipeline.kafka.clients import administrator
from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.topics import Topic
from tests.agents.line import Line
from tests.agents.names import unique
from tests.patience import until_told


@pytest.fixture
async def settings(line: Line, clickhouse: Server) -> AsyncIterator[Settings]:
    """The running parts, with an empty database of these tests."""
    reach = {"clickhouse_host": clickhouse.host, "clickhouse_port": clickhouse.port}
    chosen = Settings(kafka=line.kafka, partitions=1).model_copy(update=reach)
    default = ClickHouse(chosen)
    name = unique("set_up").replace("-", "_")
    await default.command(f"CREATE DATABASE {name}")
    yield chosen.model_copy(update={"clickhouse_database": name})
    await default.command(f"DROP DATABASE {name}")
    await default.close()


@pytest.fixture
async def topics(line: Line, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """One that is not there, and one that deletes what it is to keep, in place of all others."""
    new, wrong = unique("new"), unique("wrong")
    async with administrator(line.kafka) as admin:
        config = {"cleanup.policy": "delete"}
        await admin.create_topics([NewTopic(wrong, 1, 1, topic_configs=config)])
        await until_told(admin.list_topics, lambda names: wrong in names)
    declared = tuple(
        Topic(name=name, key="", written_by="", read_by="", compacted=True, retention_ms=0)
        for name in (new, wrong)
    )
    monkeypatch.setattr("agents.setup.TOPICS", declared)
    monkeypatch.setattr("schemas.topics.TOPICS", declared)
    return new, wrong


async def test_a_dry_run_says_what_is_then_done_and_changes_nothing(
    settings: Settings, topics: tuple[str, str]
) -> None:
    new, wrong = topics
    tried = await set_up(settings, dry_run=True)
    assert tried.created == (new,)
    assert (wrong, "cleanup.policy", "delete", "compact") in {
        (each.topic, each.setting, each.found, each.wanted) for each in tried.mended
    }
    assert len(tried.migrations) == len(migrations())
    assert await set_up(settings, dry_run=True) == tried
    assert await set_up(settings) == tried
    async with administrator(settings.kafka) as admin:
        await until_told(admin.list_topics, lambda names: new in names)
    assert await set_up(settings) == SetUp(created=(), mended=(), kept=(), migrations=())


async def test_where_a_newer_version_was_its_topics_stay_as_they_are(
    settings: Settings, topics: tuple[str, str]
) -> None:
    new, _ = topics
    clickhouse = ClickHouse(settings)
    await migrate(clickhouse, files=[])
    await clickhouse.command("INSERT INTO migrations (number, name) VALUES (9999, '9999_new.sql')")
    await clickhouse.close()
    before = await set_up(settings, dry_run=True, has_tables=False)
    with pytest.raises(Misconfigured, match=r"it has 9999_new\.sql\. Nothing was changed"):
        await set_up(settings)
    async with administrator(settings.kafka) as admin:
        assert new not in await admin.list_topics()
    assert await set_up(settings, dry_run=True, has_tables=False) == before
