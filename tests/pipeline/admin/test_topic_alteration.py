"""Existing topics with wrong settings, on a real Kafka: found, shown, mended, refused."""

from collections.abc import Iterable
from itertools import count

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from embedded.kafka import Kafka
from pipeline.admin.topic_alteration import check_topic_settings, check_topics_of, mend_topics
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import administrator
from pipeline.settings import Settings
from schemas.errors import Misconfigured, Unavailable
from schemas.topics import WRITTEN_IF_SET, Topic, changelog
from tests.patience import until_told

WRONG = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "CreateTime",
    "delete.retention.ms": "1000",
    "max.message.bytes": "1048588",
}
CHOSEN = {"segment.bytes": "33554432", "compression.type": "zstd"}
"""An operator's own: one that we declare otherwise, and one that we say nothing of."""
numbers = count()


async def existing(kafka: Kafka, config: dict[str, str]) -> Topic:
    """A compacted topic as it was declared, that exists with another configuration."""
    name = f"mending-{next(numbers)}"
    async with administrator(kafka.address) as admin:
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=config)])
        await until_told(admin.list_topics, lambda names: name in names)
    return Topic(name=name, key="", written_by="", read_by="", compacted=True, retention_ms=0)


async def config_in(kafka: Kafka, topic: Topic, names: Iterable[str]) -> dict[str, str]:
    """What Kafka says of some settings."""
    async with administrator(kafka.address) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic.name)
        ((_, _, _, _, entries),) = (await admin.describe_configs([resource]))[0].resources
    return {entry[0]: entry[1] for entry in entries if entry[0] in names}


async def test_wrong_settings_are_mended_once_and_an_operators_own_ones_stay(kafka: Kafka) -> None:
    settings = Settings(kafka=kafka.address, partitions=1)
    topic = await existing(kafka, WRONG | CHOSEN)
    for dry_run in (True, False):
        found = await mend_topics(settings, [topic], dry_run=dry_run)
        mended = {each.setting: each.wanted for each in found if not each.stays}
        # What Kafka 4.2 has by default for a compacted topic is wrong in two settings more.
        assert mended == {
            "cleanup.policy": "compact",
            "message.timestamp.type": "LogAppendTime",
            "delete.retention.ms": "86400000",
            "max.message.bytes": "8388608",
            "max.compaction.lag.ms": "86400000",
            "segment.ms": "86400000",
        }
        assert [each.setting for each in found if each.stays] == ["segment.bytes"]
        now = await config_in(kafka, topic, WRONG | CHOSEN)
        assert now == WRONG | CHOSEN if dry_run else {**mended, **CHOSEN}.items() >= now.items()
    again = await mend_topics(settings, [topic])
    assert [each.setting for each in again] == ["segment.bytes"]


async def test_what_was_created_needs_no_mending(kafka: Kafka) -> None:
    settings = Settings(kafka=kafka.address, partitions=2)
    kinds = [(False, 1000), (True, 0), (True, 5000)]
    topics = [
        Topic(
            name=f"mending-{next(numbers)}",
            key="",
            written_by="",
            read_by="",
            compacted=compacted,
            retention_ms=retention,
        )
        for compacted, retention in kinds
    ]
    assert await mend_topics(settings, topics) == []
    await create_topics(settings, topics)
    assert await mend_topics(settings, topics) == []


@pytest.mark.parametrize(("setting", "value"), list(WRONG.items())[:3])
async def test_what_would_lose_data_is_refused_in_a_sentence(
    kafka: Kafka, setting: str, value: str
) -> None:
    settings = Settings(kafka=kafka.address, partitions=1)
    topic = await existing(
        kafka,
        {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime", setting: value},
    )
    with pytest.raises(Misconfigured, match=f"{topic.name} has {setting}={value}.*tocsin setup"):
        await check_topic_settings(settings, [topic])
    await mend_topics(settings, [topic])
    await check_topic_settings(settings, [topic])


async def test_what_only_costs_time_or_disk_is_not_refused(kafka: Kafka) -> None:
    settings = Settings(kafka=kafka.address, partitions=1)
    harmless = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"}
    await check_topic_settings(settings, [await existing(kafka, harmless)])


async def test_no_broker_is_one_sentence() -> None:
    topic = Topic(name="t", key="", written_by="", read_by="")
    with pytest.raises(Unavailable, match="TOCSIN_KAFKA"):
        await mend_topics(Settings(kafka="127.0.0.1:1"), [topic])


async def test_a_role_looks_at_what_it_reads_and_at_its_changelog_and_at_nothing_else(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, number = Settings(kafka=kafka.address, partitions=1), next(numbers)
    role = f"checking-{number}"
    read, unread = (
        Topic(name=f"{name}-{number}", key="", written_by="", read_by="")
        for name in ("read", "unread")
    )
    own = changelog(role)
    monkeypatch.setattr("pipeline.admin.topic_alteration.TOPICS", (unread, read, own))
    with pytest.raises(Misconfigured, match=f"has no topic {own.name}"):
        await check_topics_of(settings, role, [read.name])
    await create_topics(settings, [own])
    with pytest.raises(Misconfigured, match=f"has no topic {read.name}"):
        await check_topics_of(settings, role, [read.name])
    await create_topics(settings, [read])
    async with administrator(kafka.address) as admin:
        await until_told(admin.list_topics, lambda names: read.name in names)
    await check_topics_of(settings, role, [read.name])
    monkeypatch.setitem(WRITTEN_IF_SET, role, (unread,))
    await check_topics_of(settings, role, [read.name])
    asked = settings.model_copy(update={"outcomes": True})
    with pytest.raises(Misconfigured, match=f"has no topic {unread.name}.* with the same settings"):
        await check_topics_of(asked, role, [read.name])
    async with administrator(kafka.address) as admin:
        lossy = {"cleanup.policy": "delete"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, own.name, lossy)])
    with pytest.raises(Misconfigured, match=f"{own.name} has cleanup.policy=delete"):
        await check_topics_of(settings, role, [read.name])
