"""Tests that share a database find it as if it were new."""

from analytics.clickhouse import ClickHouse
from schemas.vocabulary import Stage
from tests.analytics.database import empty_tables, tables_of
from tests.analytics.story import happened

TABLES = ("delivery_events", "notification_state", "by_minute", "hour_sets")
EVENTS = [happened(stage, "n") for stage in (Stage.QUEUED, Stage.SENT)]


async def counts(database: ClickHouse) -> list[int]:
    found = [await database.query(f"SELECT count() FROM {table}") for table in TABLES]
    return [count for ((count,),) in found]


async def test_emptied_tables_take_the_same_rows_again(database: ClickHouse) -> None:
    """Also those that ClickHouse would know as a block that was sent twice."""
    await database.insert(EVENTS)
    first = await counts(database)
    assert min(first) > 0
    await empty_tables(database)
    assert await counts(database) == [0] * len(TABLES)
    await database.insert(EVENTS)
    assert await counts(database) == first


async def test_emptied_tables_merge_again(database: ClickHouse) -> None:
    await database.command("SYSTEM STOP MERGES delivery_events")
    await empty_tables(database)
    for _ in range(2):
        await database.insert(EVENTS[:1])
    await database.command("OPTIMIZE TABLE delivery_events FINAL")
    parts = "SELECT count() FROM system.parts WHERE active AND database = currentDatabase()"
    assert await database.query(f"{parts} AND table = 'delivery_events'") == [(1,)]


async def test_a_change_of_a_table_is_seen(empty: ClickHouse) -> None:
    await empty.command("CREATE TABLE numbers (n UInt8) ENGINE = MergeTree ORDER BY n")
    before = await tables_of(empty)
    await empty.command("ALTER TABLE numbers ADD COLUMN m UInt8")
    assert await tables_of(empty) != before
