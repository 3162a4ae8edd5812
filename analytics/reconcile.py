"""Nothing lost, nothing counted twice: Kafka, ClickHouse and what providers accepted, compared."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from analytics.claims import Claims, claims
from analytics.clickhouse import ClickHouse
from pipeline.kafka.brokers import Kafka
from policy.catalogue.catalogue import Catalogue

EXAMPLES = 5
_THERE = {
    "happening": """
SELECT tenant, id FROM delivery_events
WHERE toDate(occurred_at) BETWEEN {first:Date} AND {last:Date}
    AND id IN (SELECT id FROM [claims] WHERE kind = 'happening')""",
    "delivery": """
SELECT tenant, delivery_id FROM delivery_events
WHERE toDate(occurred_at) BETWEEN {first:Date} AND {last:Date}
    AND stage IN ('sent', 'failed', 'suppressed')
    AND delivery_id IN (SELECT id FROM [claims] WHERE kind = 'delivery')""",
    "event": """
SELECT tenant, event_id FROM delivery_events
WHERE toDate(occurred_at) BETWEEN {first:Date} AND {last:Date}
    AND event_id IN (SELECT id FROM [claims] WHERE kind = 'event')""",
    "accepted": """
SELECT '', delivery_id FROM delivery_events
WHERE stage = 'sent' AND delivery_id IN (SELECT id FROM [claims] WHERE kind = 'accepted')
UNION ALL
SELECT '', id FROM [claims] WHERE kind = 'erased'""",
}
"""By kind of claim, those that ClickHouse knows the end of; of what was accepted, providers name no
tenant."""
_COUNT = "SELECT uniqExact(tenant, id) FROM [claims] WHERE kind = {kind:String}"
_MISSING = """
SELECT count(), groupArray({most:UInt32})(if(made IN ('', id), id, concat(id, ' of ', made))) FROM
(
    SELECT tenant, id, any(origin) AS made FROM [claims]
    WHERE kind = {kind:String} AND (tenant, id) NOT IN ([there])
    GROUP BY tenant, id
)
"""
_UNACCEPTED = """
SELECT uniqExact(delivery_id), uniqExactIf(delivery_id, wrong),
    groupUniqArrayIf({most:UInt32})(delivery_id, wrong)
FROM
(
    SELECT delivery_id,
        delivery_id NOT IN (SELECT id FROM [claims] WHERE kind = 'accepted') AS wrong
    FROM delivery_events
    WHERE stage = 'sent' AND channel != 'inapp'
        AND at >= fromUnixTimestamp64Milli({begin:Int64})
        AND at < fromUnixTimestamp64Milli({end:Int64})
)
"""
_HOURS = """
SELECT uniqExact(hour) FROM by_hour WHERE toDate(hour) BETWEEN {first:Date} AND {last:Date}
"""
# What is told on no channel may be told again by the same id with another time, as where a producer
# writes the time of sending into a repeat: rows keep the first of a day, roll-ups each hour.
_WHOLE = "(stage = 'suppressed' AND channel = '')"
_SPAN = f"if({_WHOLE}, (toStartOfDay(hour), true), (hour, false)) AS span"
# Without what is kept for 90 days where it may be gone: the roll-ups have it for 13 months.
_COMPARED = f"""toDate(hour) BETWEEN {{first:Date}} AND {{last:Date}}
            AND (stage NOT IN ('held', 'retrying') OR toDate(hour) > today() - 89)
            AND (NOT {_WHOLE} OR hour >= folded_until)"""
# What is told on no channel by the day, but of days of which only counts are left; the rest by the
# hour. The roll-ups still have who was erased.
_HOURS_APART = f"""
WITH (SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days) AS folded_until
SELECT count(), groupArray({{most:UInt32}})(toString(hour)) FROM
(
    SELECT span.1 AS hour, sum(counted) AS counted, sum(there) AS there FROM
    (
        SELECT {_SPAN}, uniqExactMerge(happenings) - uniqExactMergeIf(happenings, gone) AS counted,
            0 AS there
        FROM
        (
            SELECT hour, tenant, channel, stage, happenings, false AS gone FROM by_hour
            UNION ALL
            SELECT toStartOfHour(minute) AS hour, tenant, channel, stage, happenings, true AS gone
            FROM erased_happenings WHERE minute >= folded_until
        )
        WHERE {_COMPARED}
        GROUP BY span, tenant
        UNION ALL
        SELECT {_SPAN}, 0 AS counted, uniqExact(id) AS there
        FROM
        (
            SELECT toStartOfHour(occurred_at) AS hour, tenant, channel, stage, id
            FROM delivery_events
            WHERE detail != 'machine'
                AND toDate(occurred_at) BETWEEN {{first:Date}} AND {{last:Date}}
        )
        WHERE {_COMPARED}
        GROUP BY span, tenant
    )
    GROUP BY span HAVING counted != there
)
"""  # noqa: S608 - the conditions are ours


class Finding(Struct, frozen=True):
    """So many of `claimed` are as they should be, but for `wrong` ones, some of which are shown."""

    said: str
    claimed: int
    wrong: int
    examples: list[str] = []


class Reconciled(Struct, frozen=True):
    """What was compared; `repeated` lines were told again, and count once."""

    findings: list[Finding]
    repeated: int
    accepted_again: int | None = None
    """Messages that a provider accepted more than once, of which only one is counted."""

    @property
    def is_right(self) -> bool:
        """Whether nothing is lost and nothing counted twice."""
        return not any(finding.wrong for finding in self.findings)


async def reconcile(
    clickhouse: ClickHouse,
    kafka: Kafka,
    catalogue: Catalogue,
    begin: int,
    end: int,
    accepted: Iterable[str] | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Reconciled:
    """Compare all that Kafka took from `begin` to `end` (epoch ms); raises Unavailable.

    `accepted` are the delivery ids that providers say they accepted, as often as they did. What is
    still on its way counts as lost: compare up to a moment that all roles have passed.
    """
    async with claims(clickhouse, catalogue) as claimed:
        await claimed.read(kafka, begin, end, progress)
        counts = Counter(accepted or ())
        for name in counts:
            claimed.add("accepted", "", name)
        await claimed.store()
        judge = _Judge(clickhouse, claimed)
        findings = [
            await judge.missing("happening", "delivery events that ClickHouse has"),
            await judge.missing("event", "domain events that ClickHouse has"),
            await judge.missing("delivery", "deliveries that came to an end"),
            await judge.hours(),
        ]
        if accepted is not None:
            findings.append(await judge.missing("accepted", "accepted messages that are counted"))
            findings.append(await judge.unaccepted(begin, end))
        happenings = findings[0].claimed
    return Reconciled(
        findings,
        claimed.told - happenings,
        None if accepted is None else counts.total() - len(counts),
    )


class _Judge:
    def __init__(self, clickhouse: ClickHouse, claimed: Claims) -> None:
        self._clickhouse = clickhouse
        self._name = claimed.name
        first, last = claimed.days or ("1970-01-01", "1970-01-01")
        self._asked: dict[str, Any] = {"first": str(first), "last": str(last), "most": EXAMPLES}

    async def missing(self, kind: str, said: str) -> Finding:
        there = _THERE[kind]
        ((claimed,),) = await self._ask(_COUNT, kind=kind)
        ((wrong, examples),) = await self._ask(_MISSING.replace("[there]", there), kind=kind)
        return Finding(said, claimed, wrong, examples)

    async def hours(self) -> Finding:
        ((wrong, examples),) = await self._ask(_HOURS_APART)
        ((claimed,),) = await self._ask(_HOURS)
        return Finding("hours whose roll-up counts each event once", claimed, wrong, examples)

    async def unaccepted(self, begin: int, end: int) -> Finding:
        ((claimed, wrong, examples),) = await self._ask(_UNACCEPTED, begin=begin, end=end)
        return Finding("messages counted as sent that were accepted", claimed, wrong, examples)

    async def _ask(self, question: str, **asked: Any) -> list[Any]:
        sql = question.replace("[claims]", self._name)
        return await self._clickhouse.query(sql, {**self._asked, **asked})
