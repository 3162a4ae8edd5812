"""Folding: what happened on days that are closed becomes counts by the hour, a step at a time.

Until a day is folded, `hour_sets` has 8 bytes for each happening. A count is made from
`delivery_events`, where each happening is one row, and of what was erased; whoever asks takes off
what was erased since, so an erasure needs no new count. What is told of a folded day later, or
erased, marks its type's day, which is counted anew.

Each step can be repeated, cut short, or run twice at once: a count says when it began, the one that
began last holds, and a day is read as counts only once all of it is counted.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from analytics.migration import filled
from analytics.quoting import quoted

CLOSED_DAYS = 14
"""After which a day is folded: from then on nothing is kept by the minute. What is told later than
two days before that is marked, by migration 0029."""
SHORT_DAYS = 89
"""For which events of stages that are kept for 90 days are surely there."""
AT_ONCE = 2_000_000
"""Events that one step counts, unless one type has more in a day."""
UNITS = 1000
"""Types of tenants that one statement names: it may have 256 KiB."""
WITHIN = {"max_execution_time": 1800}
"""Of a step: sets of a folded day go an hour later, when nothing reads them any more."""
_DIMENSIONS = "tenant, type, category, channel, provider, priority, stage, reason, catalogue"
# See migration 0030.
_TELLER = "if(c.stage IN ('opened', 'clicked', 'unsubscribed'), '', c.provider) AS teller"
_UNTIL = "(SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days)"
_TODAY = "toDate(now('UTC'))"
_NOW = "SELECT toString(now64(3, 'UTC'))"
_UNFOLDED = f"""
SELECT min(toDate(hour)) FROM hour_sets
WHERE hour >= {_UNTIL} AND toDate(hour) <= {_TODAY} - {{days:UInt32}}
HAVING count() > 0
"""  # noqa: S608 - ours
# Some may be counted already, by a run that was cut short.
_TO_FOLD = """
SELECT tenant, type, max(e.events) FROM
(
    SELECT tenant, type FROM hour_sets WHERE toDate(hour) = {day:Date} GROUP BY tenant, type
) AS s
LEFT JOIN
(
    SELECT tenant, type, count() AS events FROM delivery_events
    WHERE toDate(occurred_at) = {day:Date} GROUP BY tenant, type
) AS e USING (tenant, type)
WHERE (tenant, type) NOT IN
(
    SELECT tenant, type FROM counted_days
    WHERE day = {day:Date} AND counted > toDateTime64(0, 3, 'UTC')
)
GROUP BY tenant, type ORDER BY tenant, type
"""
# First what waits for longest by its age: last year's figures need not be of this minute.
_LATE = f"""
SELECT day, tenant, type, max(h.events)
FROM
(
    SELECT tenant, day, type, max(c.counted) AS counted FROM counted_days AS c
    GROUP BY tenant, day, type
    HAVING max(c.told) > counted - toIntervalMinute({{margin:UInt32}})
        AND counted < now64(3) - toIntervalMinute({{pause:UInt32}})
        AND toDateTime(day, 'UTC') < {_UNTIL}
    ORDER BY dateDiff('second', counted, now64(3)) / ({_TODAY} - day) DESC, day, tenant, type
    LIMIT {UNITS}
) AS c
LEFT JOIN
(
    SELECT tenant, toDate(hour) AS day, type, sum(count) AS events FROM hour_counts
    GROUP BY tenant, day, type
) AS h USING (tenant, day, type)
GROUP BY day, tenant, type ORDER BY day, tenant, type
"""  # noqa: S608 - ours
_COUNT = f"""
INSERT INTO hour_counts (hour, {_DIMENSIONS}, count, counted_at)
SELECT hour, {_DIMENSIONS.replace("provider", _TELLER)}, uniqExactMerge(c.happenings),
    {{at:DateTime64(3, 'UTC')}}
FROM
(
    SELECT toStartOfHour(occurred_at) AS hour, {_DIMENSIONS},
        uniqExactState(cityHash64(id)) AS happenings
    FROM delivery_events FINAL
    WHERE toDate(occurred_at) = {{day:Date}} AND [units] AND NOT [gone] AND detail != 'machine'
    GROUP BY hour, {_DIMENSIONS}
    UNION ALL
    SELECT toStartOfHour(minute) AS hour, {_DIMENSIONS}, happenings
    FROM erased_happenings
    WHERE toDate(minute) = {{day:Date}} AND [units] AND NOT [gone]
    UNION ALL
    [kept]
) AS c
GROUP BY hour, {_DIMENSIONS.replace("provider", "teller")}
"""  # noqa: S608 - ours
# What is known of it from before: its events may be gone, or be told of another provider now.
_FROM_SETS = f"""
    SELECT hour, {_DIMENSIONS}, happenings FROM hour_sets
    WHERE toDate(hour) = {{day:Date}} AND [units] AND [gone]
"""  # noqa: S608 - ours
_FROM_COUNTS = f"""
    SELECT hour, {_DIMENSIONS}, arrayReduce('uniqExactState', emptyArrayUInt64())
    FROM hour_counts
    WHERE toDate(hour) = {{day:Date}} AND [units] AND NOT [gone]
"""  # noqa: S608 - ours
_GONE = f"(stage IN ('held', 'retrying') AND {{day:Date}} <= {_TODAY} - {SHORT_DAYS})"
_COUNTED = """
INSERT INTO counted_days (tenant, day, type, counted)
SELECT unit.1, {day:Date}, unit.2, {at:DateTime64(3, 'UTC')}
FROM (SELECT arrayJoin([[units]]) AS unit)
"""
_FOLDED = "INSERT INTO folded_days SELECT {day:Date}, {at:DateTime64(3, 'UTC')}"
_READ_BY_NOBODY = """
SELECT DISTINCT partition_id FROM system.parts
WHERE database = currentDatabase() AND table = 'hour_sets' AND active
    AND toDateTime(toDate(partition), 'UTC') <
    (
        SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days
        WHERE at < now64(3) - toIntervalMinute({margin:UInt32})
    )
ORDER BY partition_id
"""


class Unit(Struct, frozen=True):
    """A type of a tenant, with so many events in a day."""

    tenant: str
    type: str
    events: int


class Patience(Struct, frozen=True):
    """Minutes that an insert or a question may take (`margin`), and in which no day of a type is
    counted twice (`pause`)."""

    margin: int = 60
    pause: int = 30


PATIENCE = Patience()


async def fold(
    clickhouse: ClickHouse,
    cluster: str = "",
    days: int = CLOSED_DAYS,
    patience: Patience = PATIENCE,
) -> bool:
    """Do one step: count some types of the oldest day that is closed for so many days, or of one of
    which something was told since it was folded; else take away sets that nobody reads any more.

    Returns whether there may be more to do. Raises Unavailable; then it has to be repeated.
    """
    ((at,),) = await clickhouse.query(_NOW)
    for (day,) in await clickhouse.query(_UNFOLDED, {"days": days}):
        found = await clickhouse.query(_TO_FOLD, {"day": day})
        units = _some([Unit(*row) for row in found])
        if units:
            await _count(clickhouse, day, units, at, _FROM_SETS)
        if len(units) == len(found):
            await clickhouse.command(_FOLDED, {"day": day, "at": at})
        return True
    asked = {"margin": patience.margin, "pause": patience.pause}
    for day, *_ in (late := await clickhouse.query(_LATE, asked))[:1]:
        units = _some([Unit(*row) for each, *row in late if each == day])
        await _count(clickhouse, day, units, at, _FROM_COUNTS)
        return True
    return await _take_away(clickhouse, cluster, patience)


async def _count(
    clickhouse: ClickHouse, day: date, units: Sequence[Unit], at: str, kept: str
) -> None:
    names = ", ".join(f"({quoted(unit.tenant)}, {quoted(unit.type)})" for unit in units)
    sql = _COUNT.replace("[kept]", kept)
    sql = sql.replace("[units]", f"(tenant, type) IN ({names})").replace("[gone]", _GONE)
    asked = {"day": day, "at": at}
    await clickhouse.command(sql, asked, WITHIN)
    await clickhouse.command(_COUNTED.replace("[units]", names), asked)


async def _take_away(clickhouse: ClickHouse, cluster: str, patience: Patience) -> bool:
    """Sets of days that were folded so long ago that no question still reads them."""
    found = await clickhouse.query(_READ_BY_NOBODY, {"margin": patience.margin})
    if found:
        dropped = ", ".join(f"DROP PARTITION ID {quoted(name)}" for (name,) in found)
        await clickhouse.command(filled(f"ALTER TABLE hour_sets {{on_cluster}} {dropped}", cluster))
    return False


def _some(units: Iterable[Unit]) -> list[Unit]:
    """The first ones, so many that one step can count them."""
    some: list[Unit] = []
    events = 0
    for unit in units:
        events += unit.events
        if some and (events > AT_ONCE or len(some) == UNITS):
            break
        some.append(unit)
    return some
