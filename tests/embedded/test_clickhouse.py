from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import clickhouse_connect
import pytest
from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import DatabaseError

from embedded.clickhouse import ClickHouse
from schemas.errors import PortTaken

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = ["id", "stage", "at"]
EVENTS = """
CREATE TABLE {0} (id String, stage LowCardinality(String), at DateTime64(3, 'UTC'))
ENGINE = ReplacingMergeTree ORDER BY (id, stage)
"""
STATE = """
CREATE TABLE {0}_state
(id String, sent SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))))
ENGINE = AggregatingMergeTree ORDER BY id
"""
VIEW = """
CREATE MATERIALIZED VIEW {0}_view TO {0}_state AS
SELECT id, minIf(at, stage = 'sent') AS sent FROM {0} GROUP BY id
"""


@asynccontextmanager
async def connect(
    server: ClickHouse, compress: bool | str = True, **settings: int
) -> AsyncIterator[AsyncClient]:
    client = await clickhouse_connect.get_async_client(
        host=server.host, port=server.port, compress=compress, settings=settings or None
    )
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def client(clickhouse: ClickHouse) -> AsyncIterator[AsyncClient]:
    async with connect(clickhouse) as connected:
        yield connected


async def test_replacing_and_aggregating_tables_collapse_repeats(client: AsyncClient) -> None:
    for statement in (EVENTS, STATE, VIEW):
        await client.command(statement.format("collapse"))
    rows = [["a", "sent", START + timedelta(seconds=5)], ["a", "seen", START]]
    for batch in (rows, rows, [["a", "sent", START]]):
        await client.insert("collapse", batch, column_names=COLUMNS)
    events = await client.query("SELECT id, stage FROM collapse FINAL ORDER BY stage")
    assert events.result_rows == [("a", "seen"), ("a", "sent")]
    state = await client.query("SELECT id, min(sent) FROM collapse_state GROUP BY id")
    assert state.result_rows == [("a", START.replace(tzinfo=None))]


async def test_a_hundred_thousand_rows(client: AsyncClient) -> None:
    await client.command(EVENTS.format("many"))
    rows = [[f"event-{n}", "sent", START] for n in range(100_000)]
    summary = await client.insert("many", rows, column_names=COLUMNS)
    assert summary.written_rows == 100_000
    assert await client.command("SELECT count() FROM many") == 100_000


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
async def test_every_compression(clickhouse: ClickHouse, compress: bool | str) -> None:
    table = f"compressed_{compress}"
    async with connect(clickhouse, compress) as client:
        await client.command(EVENTS.format(table))
        # More than one block, so that frames follow one another.
        rows = [[f"event-{n}", "sent", START] for n in range(70_000)]
        await client.insert(table, rows, column_names=COLUMNS)
        await client.raw_insert(table, COLUMNS, b'"raw","sent",2026-01-01 00:00:00\n', fmt="CSV")
        assert await client.command(f"SELECT uniqExact(id) FROM {table}") == 70_001


async def test_parameters_reach_the_engine_as_they_are(client: AsyncClient) -> None:
    values = {"text": "it's\ta \\ tab\n; DROP", "many": list(range(20_000)), "at": START}
    sql = "SELECT {text:String}, length({many:Array(UInt32)}), {at:DateTime64(3)}"
    result = await client.query(sql, parameters=values)
    assert result.result_rows == [(values["text"], 20_000, START.replace(tzinfo=None))]


async def test_settings_hold_for_one_request(clickhouse: ClickHouse) -> None:
    ask = "SELECT getSetting('max_threads'), getSetting('max_block_size')"
    async with connect(clickhouse, max_block_size=1234) as client:
        result = await client.query(ask, settings={"max_threads": 1})
        assert result.result_rows == [(1, 1234)]
    async with connect(clickhouse) as client:
        assert (await client.query(ask)).result_rows[0][1] != 1234


async def test_a_database_of_ones_own(clickhouse: ClickHouse) -> None:
    async with connect(clickhouse) as client:
        await client.command("CREATE DATABASE own")
        client.database = "own"
        await client.command(EVENTS.format("here"))
        await client.insert("here", [["a", "sent", START]], column_names=COLUMNS)
        assert await client.command("SELECT count() FROM own.here") == 1


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELECT * FROM nowhere", 60, 404),
        ("SELEKT 1", 62, 400),
        ("SELECT throwIf(1)", 395, 500),
        ("INSERT INTO nowhere FORMAT CSV\n1\n", 60, 404),
    ],
)
async def test_errors_are_those_of_a_server(
    clickhouse: ClickHouse, sql: str, code: int, status: int
) -> None:
    url = f"http://{clickhouse.host}:{clickhouse.port}/"
    async with aiohttp.request("POST", url, data=sql.encode()) as response:
        assert response.status == status
        assert response.headers["X-ClickHouse-Exception-Code"] == str(code)
        assert (await response.text()).startswith(f"Code: {code}. DB::Exception: ")


async def test_the_client_sees_the_error(client: AsyncClient) -> None:
    with pytest.raises(DatabaseError, match=r"code: 60.*UNKNOWN_TABLE"):
        await client.query("SELECT * FROM nowhere")


async def test_a_cut_insert_is_refused(clickhouse: ClickHouse, client: AsyncClient) -> None:
    await client.command(EVENTS.format("cut"))
    block = await client.raw_query(
        "SELECT 'a' AS id, 'sent' AS stage, now64(3) AS at", fmt="Native"
    )
    with pytest.raises(DatabaseError, match="CANNOT_READ_ALL_DATA"):
        await client.raw_insert("cut", COLUMNS, block[:-4], fmt="Native")
    assert await client.command("SELECT count() FROM cut") == 0


async def test_empty_results_and_statements_without_one(client: AsyncClient) -> None:
    assert await client.command("SELECT 1 WHERE 0") == ""
    assert (await client.query("SELECT 1 AS one WHERE 0")).result_rows == []
    assert (await client.query("SELECT 1 AS one LIMIT 0")).column_names == ("one",)
    assert await client.command("SELECT 'a', 'b'") == ["a", "b"]


async def test_taken_port_is_told(clickhouse: ClickHouse, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=f"Port {clickhouse.port} is taken"):
        await ClickHouse(tmp_path, clickhouse.port).start()


async def test_restart_and_kill_keep_what_was_answered(tmp_path: Path) -> None:
    async with ClickHouse(tmp_path) as server:
        async with connect(server) as client:
            await client.command(EVENTS.format("kept"))
            await client.insert("kept", [["stop", "sent", START]], column_names=COLUMNS)
        await server.stop()
        await server.start()
        async with connect(server) as client:
            await client.insert("kept", [["kill", "sent", START]], column_names=COLUMNS)
        await server.kill()
        await server.start()
        async with connect(server) as client:
            result = await client.query("SELECT id FROM kept ORDER BY id")
            assert result.result_rows == [("kill",), ("stop",)]
