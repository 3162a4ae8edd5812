"""What is deleted is gone from a changelog's files in time, though nobody writes any more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from embedded.kafka import NODE_ID, Kafka
from pipeline.admin.topic_settings import config_of
from pipeline.kafka.clients import administrator
from pipeline.producing.producer import start_producer
from schemas.topics import changelog
from tables.storage.restore import Changelog
from tables.storage.store import PartitionStore
from tables.storage.table import checker
from tests.patience import until, until_told
from tests.tables.ground import NOTES, Note

TOPIC = "erased-from-disk"
NAME, SAID = b"the-name-of-somebody", "what was said to them"
SOON = {
    "max.compaction.lag.ms": "500",
    "segment.ms": "500",
    "delete.retention.ms": "500",
    "file.delete.delay.ms": "0",
}
"""Seconds where a changelog has days."""


@pytest.fixture
async def topic(kafka: Kafka) -> AsyncIterator[Path]:
    """The folder of a changelog's only partition, of a Kafka that looks often for what to do."""
    often = ConfigResource(
        ConfigResourceType.BROKER, str(NODE_ID), {"log.cleaner.backoff.ms": "100"}
    )
    seldom = ConfigResource(ConfigResourceType.BROKER, str(NODE_ID), {})
    async with administrator(kafka.address) as admin:
        config = config_of(changelog("decider"), 1) | SOON
        await admin.create_topics([NewTopic(TOPIC, 1, 1, topic_configs=config)])
        await until_told(admin.list_topics, lambda names: TOPIC in names)
        await admin.alter_configs([often])
        yield kafka._data / f"{TOPIC}-0"
        await admin.alter_configs([seldom])


def holds(folder: Path, what: bytes) -> bool:
    """Whether any file of the partition has these bytes."""
    try:
        return any(what in file.read_bytes() for file in folder.iterdir())
    except FileNotFoundError:
        return True  # one was deleted meanwhile: look again


async def test_a_value_and_its_key_are_gone_though_nothing_else_is_written(
    kafka: Kafka, topic: Path, tmp_path: Path
) -> None:
    producer = await start_producer(kafka.address)
    log = Changelog(kafka.address, TOPIC, 0, checker(NOTES))
    store = PartitionStore(tmp_path / "state", log, producer, marked_every=0.2)
    key = NOTES.prefix + NAME
    try:
        await store.restore()
        await store.write({key: NOTES.encode(Note(SAID)), NOTES.prefix + b"kept": b"\x91\xa1k"})
        assert holds(topic, SAID.encode())
        await store.write({key: None})
        await until(lambda: not holds(topic, SAID.encode()))
        await until(lambda: not holds(topic, NAME))
        assert holds(topic, b"kept")
        store.close()
        # Whoever takes the partition next has just what was not deleted.
        other = PartitionStore(tmp_path / "other", log, producer)
        await other.restore()
        assert dict(other.scan(NOTES.prefix)) == {NOTES.prefix + b"kept": b"\x91\xa1k"}
        other.close()
    finally:
        await producer.stop()
