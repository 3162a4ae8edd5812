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


async def tables_of(database: ClickHouse) -> dict[str, str]:
    """How each table and view was made, by its name."""
    return dict(
        await database.query(
            "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
        )
    )


async def empty_tables(database: ClickHouse) -> None:
    """Delete all rows but those that say which migrations were applied; parts merge again."""
    found = await database.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase()"
        " AND engine LIKE '%MergeTree' AND name != 'migrations'"
    )
    for (name,) in found:
        await database.command(f"SYSTEM START MERGES {name}")
        await database.command(f"TRUNCATE TABLE {name}")
