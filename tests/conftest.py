"""The real parts, started once for all tests."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from embedded.clickhouse import ClickHouse
from embedded.kafka import Kafka

# The same examples for everybody, so that a change is judged by what it changes; `make simulate`
# goes on to look for others. No example has a deadline: benchmarks hold speeds, on quiet machines.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    """A running Kafka. Shared: use topics and groups of your own, and never stop it."""
    async with Kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
async def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClickHouse]:
    """A running ClickHouse. Shared: use a database or tables of your own, and never stop it."""
    async with ClickHouse(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running
