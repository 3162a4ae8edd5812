"""What came of a type's experiments, as ClickHouse knows it."""

from collections import defaultdict
from datetime import date
from typing import Any

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from policy.experiments.holdout import HELD_OUT, TOLD
from policy.experiments.results import Metric, Results, results
from policy.experiments.statistics import Counts
from policy.notification_type import NotificationType

FIRST, LAST = date(1970, 1, 1), date(2149, 6, 6)
"""Days that ClickHouse can tell apart."""
_COUNTS = """
SELECT experiment, variant,
    count(), sum(n), sum(successes), sum(successes / n), sum(successes / n * successes / n)
FROM
(
    SELECT experiment, variant, user, sum(sent) AS n, sum([metric]) AS successes
    FROM experiment_results
    WHERE tenant = {tenant:String} AND type = {type:String}
        AND day BETWEEN {from:Date} AND {to:Date}
    GROUP BY experiment, variant, user
)
GROUP BY experiment, variant
"""


class Asked(Struct, frozen=True, kw_only=True):
    """Of which tenant and type, by which metric, and of events of which days (UTC), inclusive."""

    tenant: str
    type: str
    metric: Metric = Metric.OPENED
    start: date = FIRST
    end: date = LAST


_GOALS = """
SELECT holdout, grouped, count(), countIf(reached)
FROM goal_results
WHERE tenant = {tenant:String} AND type = {type:String} AND day BETWEEN {from:Date} AND {to:Date}
GROUP BY holdout, grouped
"""
_GROUPS = (HELD_OUT, TOLD)
"""In this order: those who were told are held against those who were not."""


async def experiments_of(
    clickhouse: ClickHouse, asked: Asked, spec: NotificationType | None = None
) -> list[Results]:
    """Each experiment that the type has had, by name; raises Unavailable. By GOAL, each holdout.

    `spec` is the type as it is now: what it runs comes first, also before anything was sent, and
    its variants in their order.
    """
    parameters = {
        "tenant": asked.tenant,
        "type": asked.type,
        "from": max(FIRST, min(asked.start, LAST)).isoformat(),
        "to": max(FIRST, min(asked.end, LAST)).isoformat(),
    }
    if asked.metric is Metric.GOAL:
        return _lifts(await clickhouse.query(_GOALS, parameters), spec)
    rows = await clickhouse.query(_COUNTS.replace("[metric]", asked.metric), parameters)
    found: dict[str, dict[str, Counts]] = defaultdict(dict)
    for experiment, variant, *numbers in rows:
        found[experiment][variant] = _counts(*numbers)
    running = spec.experiment if spec else None
    shown = []
    if running is not None:
        order = [variant.name for variant in running.variants]
        counts = found.pop(running.name, {})
        shown.append(results(running.name, asked.metric, counts, order))
    return shown + [results(name, asked.metric, found[name]) for name in sorted(found)]


def _lifts(rows: list[Any], spec: NotificationType | None) -> list[Results]:
    """What telling brought, by each holdout: first those that the type is in, its own before that
    of all types."""
    found: dict[str, dict[str, Counts]] = defaultdict(dict)
    for holdout, group, users, reached in rows:
        # A user is one trial, so that the rates of users are the group's.
        found[holdout][group] = _counts(users, users, reached, reached, reached)
    running = reversed(spec.holdouts) if spec is not None and spec.goal is not None else ()
    names = dict.fromkeys([*(each.label for each in running), *sorted(found)])
    return [results(name, Metric.GOAL, found[name], _GROUPS) for name in names]


def _counts(users: int, sent: int, successes: int, rates: float, rates_squared: float) -> Counts:
    return Counts(
        users=users, sent=sent, successes=successes, rates=rates, rates_squared=rates_squared
    )
