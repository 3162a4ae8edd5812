"""A database of its own for each test, in the shared ClickHouse, with our schema."""

from collections.abc import AsyncIterator
from itertools import count

import pytest

from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from embedded.clickhouse import ClickHouse as Server
from pipeline.settings import Settings
from tests.agents.conftest import stage as stage

_numbers = count(1)


@pytest.fixture
async def empty(clickhouse: Server) -> AsyncIterator[ClickHouse]:
    """A client of an empty database."""
    settings = Settings(clickhouse_host=clickhouse.host, clickhouse_port=clickhouse.port)
    name = f"analytics_{next(_numbers)}"
    default = ClickHouse(settings)
    await default.command(f"CREATE DATABASE {name}")
    client = ClickHouse(settings.model_copy(update={"clickhouse_database": name}))
    yield client
    await client.close()
    await default.command(f"DROP DATABASE {name}")
    await default.close()


@pytest.fixture
async def database(empty: ClickHouse) -> ClickHouse:
    """A client of a database with our tables and views, without rows."""
    await migrate(empty)
    return empty
