"""A database of its own for each test, in the shared ClickHouse, with our schema."""

from collections.abc import AsyncIterator

import pytest

from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from embedded.clickhouse import ClickHouse as Server
from tests.agents.conftest import stage as stage
from tests.analytics.database import connected, created


@pytest.fixture
async def empty(clickhouse: Server) -> AsyncIterator[ClickHouse]:
    """A client of an empty database."""
    async with created(clickhouse) as name, connected(clickhouse, name) as client:
        yield client


@pytest.fixture
async def database(empty: ClickHouse) -> ClickHouse:
    """A client of a database with our tables and views, without rows."""
    await migrate(empty)
    return empty
