"""Best-hour hints: from opens to the topic that the decider reads."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from analytics.clickhouse import ClickHouse
from pipeline.producing.outputs import Outputs, partition_of
from policy.time.wall_clock import is_zone
from schemas.encoding import encode
from schemas.profile import Hint
from schemas.topics import HINTS
from tables.users import user_key

AT_ONCE = 20_000
"""Hints that are written together."""
_BEST_HOURS = """
SELECT tenant, user, best_hour, zone FROM best_hours WHERE opens >= {least:UInt32}
ORDER BY tenant, user
"""


async def publish_hints(
    clickhouse: ClickHouse, outputs: Outputs, partitions: int, least: int
) -> int:
    """Write the best hour of each user with at least so many opens; returns how many.

    Raises Unavailable; then some may be written. Safe to repeat: a hint that is known already
    changes nothing.
    """
    rows = await clickhouse.query(_BEST_HOURS, {"least": least})
    for start in range(0, len(rows), AT_ONCE):
        for tenant, user, hour, zone in rows[start : start + AT_ONCE]:
            hint = _hint(tenant, user, hour, zone)
            place = partition_of(user, partitions)
            outputs.add(HINTS, place, user_key(tenant, user), encode(hint))
        await outputs.flush()
    return len(rows)


def _hint(tenant: str, user: str, hour: int, zone: str) -> Hint:
    if zone == "UTC" or not is_zone(zone):
        return Hint(user=user, best_hour=hour, tenant=tenant)
    # By UTC as the zone's clocks are today, for deciders of the last release.
    today = datetime.now(ZoneInfo(zone)).replace(hour=hour, minute=0)
    return Hint(user=user, best_hour=today.astimezone(UTC).hour, tenant=tenant, local_hour=hour)
