"""An empty database for tests that make its tables themselves."""

from collections.abc import AsyncIterator

import pytest

from analytics.clickhouse import ClickHouse
from embedded.clickhouse import ClickHouse as Server
from tests.agents.conftest import stage as stage
from tests.analytics.database import connected, created


@pytest.fixture
async def empty(clickhouse: Server) -> AsyncIterator[ClickHouse]:
    """A client of an empty database."""
    async with created(clickhouse) as name, connected(clickhouse, name) as client:
        yield client
