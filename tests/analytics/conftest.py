"""A database without rows for each test, in the shared ClickHouse, with our schema."""

from collections.abc import AsyncIterator

import pytest

from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from embedded.clickhouse import ClickHouse as Server
from tests.agents.conftest import stage as stage
from tests.analytics.database import connected, created, empty_tables, tables_of


@pytest.fixture
async def empty(clickhouse: Server) -> AsyncIterator[ClickHouse]:
    """A client of an empty database."""
    async with created(clickhouse) as name, connected(clickhouse, name) as client:
        yield client


@pytest.fixture(scope="session")
async def migrated(clickhouse: Server) -> AsyncIterator[str]:
    """The name of a database with our tables and views: to make them takes longer than most tests
    do. It has no rows before and after each test."""
    async with created(clickhouse) as name:
        async with connected(clickhouse, name) as client:
            await migrate(client)
        yield name


@pytest.fixture
async def database(clickhouse: Server, migrated: str) -> AsyncIterator[ClickHouse]:
    """A client of a database with our tables and views, without rows."""
    async with connected(clickhouse, migrated) as client:
        tables = await tables_of(client)
        try:
            yield client
        finally:
            await empty_tables(client)
        assert await tables_of(client) == tables, "who changes a table begins with `empty`"
