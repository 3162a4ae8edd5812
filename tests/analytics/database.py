"""Databases in the shared ClickHouse, and clients of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from analytics.clickhouse import ClickHouse
from embedded.clickhouse import ClickHouse as Server
from pipeline.settings import Settings
from tests.agents.names import unique


@asynccontextmanager
async def connected(server: Server, name: str = "default") -> AsyncIterator[ClickHouse]:
    """A client of the database of this name."""
    client = ClickHouse(
        Settings(clickhouse_host=server.host, clickhouse_port=server.port, clickhouse_database=name)
    )
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def created(server: Server) -> AsyncIterator[str]:
    """An empty database that nobody else uses; its name."""
    name = unique("analytics").replace("-", "_")
    async with connected(server) as default:
        await default.command(f"CREATE DATABASE {name}")
    yield name
    async with connected(server) as default:
        await default.command(f"DROP DATABASE {name}")
