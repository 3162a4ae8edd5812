"""What tables take on the disk once all parts of a day are merged, as they are in the long run."""

from analytics.clickhouse import ClickHouse

TABLES = (
    "delivery_events",
    "notification_state",
    "notification_days",
    "by_minute",
    "hour_sets",
    "hour_counts",
)
_SIZES = """
SELECT table, sum(bytes_on_disk) FROM system.parts
WHERE active AND database = currentDatabase() AND has({tables:Array(String)}, table)
GROUP BY table
"""


async def bytes_per_event(clickhouse: ClickHouse, tables: tuple[str, ...]) -> dict[str, float]:
    """By table, bytes for each row of delivery_events, merged for it; raises Unavailable."""
    for table in tables:
        await clickhouse.command(f"OPTIMIZE TABLE {table} FINAL")
    ((events,),) = await clickhouse.query("SELECT count() FROM delivery_events")
    sizes = dict(await clickhouse.query(_SIZES, {"tables": list(tables)}))
    return {table: round(sizes.get(table, 0) / max(1, events), 2) for table in tables}
