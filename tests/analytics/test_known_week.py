"""A week whose figures are known passes through the schema: `bench questions` has one of 10 million
rows, of which this is a small one, read twice and in parts."""

from analytics.clickhouse import ClickHouse
from bench.analytics.known_week import check, fill, known
from bench.analytics.stored import TABLES, bytes_per_event

NOTIFICATIONS = 7001


async def test_figures_of_a_week_are_those_put_in(database: ClickHouse) -> None:
    """Also when it is told again, and when parts were merged."""
    assert sum(count for count, _ in known(NOTIFICATIONS).values()) == NOTIFICATIONS
    for _ in range(2):
        await fill(database, NOTIFICATIONS, lambda said: None)
        await check(database, NOTIFICATIONS)
    stored = await bytes_per_event(database, TABLES)
    await check(database, NOTIFICATIONS)
    # Nothing is folded yet.
    assert {name for name, size in stored.items() if not size} == {"hour_counts"}
    # 39.5 and 32 before columns were written as they are best; of millions it is less.
    assert stored["delivery_events"] < 37
    assert stored["notification_state"] < 23
