"""Rows go when their class says so, in whole parts, and nothing else does."""

import time

from analytics.clickhouse import ClickHouse
from schemas.vocabulary import Stage
from tests.analytics.story import DAY as THAT_DAY
from tests.analytics.story import happened
from tests.patience import until_told

DAY = 86_400_000
TABLES = ("delivery_events", "notification_state", "by_minute", "hour_sets")
LEFT = "SELECT stage, notification_id FROM delivery_events FINAL ORDER BY notification_id, stage"


async def test_what_is_old_goes_by_its_class(database: ClickHouse) -> None:
    now = time.time_ns() // 1_000_000
    events = [
        happened(stage, f"{days:03} days", occurred_at=now - days * DAY)
        for days in (1, 100, 430)
        for stage in (Stage.HELD, Stage.SENT)
    ]
    await database.insert(events)
    for table in TABLES:
        await database.command(f"ALTER TABLE {table} MATERIALIZE TTL")
        await database.command(f"OPTIMIZE TABLE {table} FINAL")
    left = [("held", "001 days"), ("sent", "001 days"), ("sent", "100 days")]
    await until_told(lambda: database.query(LEFT), lambda found: found == left, pause=0.1)
    days = "SELECT uniqExact({}) FROM {}"
    assert await database.query(days.format("day", "notification_state")) == [(2,)]
    assert await database.query(days.format("toDate(hour)", "hour_sets")) == [(2,)]
    assert await database.query(days.format("toDate(minute)", "by_minute")) == [(1,)]


async def test_a_part_holds_rows_of_one_class(database: ClickHouse) -> None:
    await database.insert([happened(stage, "n") for stage in (Stage.HELD, Stage.SENT)])
    partitions = await database.query(
        "SELECT partition FROM system.parts WHERE database = currentDatabase() "
        "AND table = 'delivery_events' AND active ORDER BY 1"
    )
    month = THAT_DAY.replace("-", "")[:6]
    assert partitions == [(f"('long',{month})",), (f"('short',{month})",)]
