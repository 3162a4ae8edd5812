"""A changelog partition for each test of the tables."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.settings import Settings
from tests.tables.ground import PARTITIONS, TOPIC, Ground, producing

numbers = count()


@pytest.fixture(scope="session")
async def changelog_topic(kafka: Kafka) -> None:
    """The topic whose partitions the tests share out among them."""
    await create_topics(Settings(kafka=kafka.address, partitions=PARTITIONS), [TOPIC])


@pytest.fixture
async def ground(kafka: Kafka, changelog_topic: None, tmp_path: Path) -> AsyncIterator[Ground]:
    """A changelog partition and a folder of this test's own."""
    async with producing(kafka.address) as producer:
        yield Ground(kafka.address, next(numbers), producer, tmp_path)
