"""A week of many events whose figures follow from their number by arithmetic, and the comparison.

Every roll-up and view that has figures, and every panel that is asked again and again, is compared.
"""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from analytics.clickhouse import ClickHouse
from analytics.panels import PANELS, Span, figures
from bench.pairs import Progress

TENANT = "acme"
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WEEK = timedelta(days=7)
DAY_MS = 86_400_000
SPAN_MS = 7 * DAY_MS - 1000
"""In which the events occur, evenly."""
USERS = 100_000
TYPES = 40
CHANNELS = ("push", "email", "inapp")
PROVIDERS = ("fcm", "sendgrid", "inbox")
STAGES = ("queued", "sent", "delivered", "opened")
BLOCK = 500_000
"""Notifications of one insert."""
PER_FIVE = 17
"""Rows of five notifications: four go out in four stages, one is not sent."""
FILL = """
INSERT INTO delivery_events
(
    id, stage, at, occurred_at, accepted_at, tenant, type, category, priority, user, event_id,
    notification_id, delivery_id, channel, reason, provider, attempt, detail, catalogue, segments,
    cost
)
SELECT
    concat(if(silent, notification, delivery), '.', channel, '.', stage, '.0'), stage,
    addMilliseconds(accepted, multiIf(
        stage = 'opened', 60000 + cityHash64(number, stage) % 40000000,
        indexOf(['queued', 'sent', 'delivered'], stage) * 1000 + cityHash64(number, stage) % 800
    )),
    occurred, accepted, {tenant:String}, concat('type_', toString(number % 40)), 'orders', 'high',
    concat('user-', toString(cityHash64(number) % {users:UInt32})),
    lower(hex(sipHash128(number, 'event'))), notification, if(silent, '', delivery), channel,
    if(silent, 'opted_out', ''),
    if(stage = 'queued' OR silent, '', ['fcm', 'sendgrid', 'inbox'][number % 3 + 1]),
    0, '', 'c1', 0, 0
FROM
(
    SELECT
        number,
        number % 5 = 0 AS silent,
        ['push', 'email', 'inapp'][number % 3 + 1] AS channel,
        lower(hex(sipHash128(number))) AS notification,
        lower(hex(sipHash128(number, 'delivery'))) AS delivery,
        fromUnixTimestamp64Milli(
            {begin:Int64} + toInt64(number * {span:UInt64} / {total:UInt64})
        ) AS occurred,
        addMilliseconds(occurred, cityHash64(number, 'accepted') % 300) AS accepted,
        arrayJoin(
            if(silent, ['suppressed'], ['queued', 'sent', 'delivered', 'opened'])
        ) AS stage
    FROM numbers({first:UInt64}, {count:UInt64})
)
"""
"""Ids that nothing is told from, and times that wander, as in life: else it compresses too well."""


# By day, of the whole schema; a column for each figure that is known.
_BY_DAY = {
    "funnel": """
SELECT day, sum(decided), sum(suppressed), sum(queued), sum(sent), sum(delivered), sum(opened)
FROM funnel WHERE tenant = 'acme' GROUP BY day ORDER BY day""",
    "outcomes": """
SELECT day, sum(decided), sum(not_told), sum(told), sum(told), sum(told), sum(told)
FROM outcomes WHERE tenant = 'acme' GROUP BY day ORDER BY day""",
    **{
        name: f"""
SELECT {day} AS day, sumIf(n, stage IN ('suppressed', 'queued')), sumIf(n, stage = 'suppressed'),
    sumIf(n, stage = 'queued'), sumIf(n, stage = 'sent'), sumIf(n, stage = 'delivered'),
    sumIf(n, stage = 'opened')
FROM ({counted}) GROUP BY day ORDER BY day"""  # noqa: S608 - ours
        for name, day, counted in (
            ("hourly", "day", "SELECT day, stage, messages AS n FROM hourly"),
            (
                "by_hour",
                "toDate(hour)",
                "SELECT hour, stage, uniqExactMerge(happenings) AS n FROM by_hour GROUP BY ALL",
            ),
            (
                "by_minute",
                "toDate(minute)",
                "SELECT minute, stage, uniqExactMerge(happenings) AS n FROM by_minute GROUP BY ALL",
            ),
            (
                "delivery_events",
                "day",
                "SELECT toDate(occurred_at) AS day, stage, uniqExact(id) AS n"
                " FROM delivery_events GROUP BY ALL",
            ),
        )
    },
}
_OF_ALL = {
    "why_not_told": "notifications",
    "provider_health": "taken",
    "how_fast": "messages",
    "slo_burn": "messages",
    "slo_budget": "messages",
    "sends_per_user": "notifications",
    "time_to_open": "opened",
    "week_over_week": "sent",
}
"""Views whose sum over all is known, and of which column."""


async def fill(clickhouse: ClickHouse, notifications: int, progress: Progress) -> None:
    """Insert the week of so many notifications; raises Unavailable."""
    for first in range(0, notifications, BLOCK):
        progress(f"{first:,} of {notifications:,} notifications are in ClickHouse")
        await clickhouse.command(
            FILL,
            {
                "tenant": TENANT,
                "users": USERS,
                "begin": int((END - WEEK).timestamp() * 1000),
                "span": SPAN_MS,
                "total": notifications,
                "first": first,
                "count": min(BLOCK, notifications - first),
            },
        )


def known(notifications: int) -> dict[date, tuple[int, int]]:
    """By day of the week, how many notifications were decided, and how many were not sent."""
    firsts = [-(-day * DAY_MS * notifications // SPAN_MS) for day in range(7)] + [notifications]
    return {
        (END - WEEK + timedelta(days=day)).date(): (last - first, _silent(last) - _silent(first))
        for day, (first, last) in enumerate(pairwise(firsts))
    }


def _silent(until: int) -> int:
    """Multiples of five below it."""
    return -(-until // 5)


async def check(clickhouse: ClickHouse, notifications: int) -> None:
    """Compare what is said of the week with what was put in; raises RuntimeError."""
    days = [
        (day, all_, silent, *[all_ - silent] * len(STAGES))
        for day, (all_, silent) in known(notifications).items()
        if all_
    ]
    for name, question in _BY_DAY.items():
        _compare(name, await clickhouse.query(question), days)
    silent = _silent(notifications)
    for name, column in _OF_ALL.items():
        question = f"SELECT sum({column}) FROM {name} WHERE tenant = 'acme'"  # noqa: S608 - ours
        expected = silent if name == "why_not_told" else notifications - silent
        _compare(name, await clickhouse.query(question), [(expected,)])
    _compare("unfinished", await clickhouse.query("SELECT count() FROM unfinished"), [(0,)])
    week = Span(TENANT, END - WEEK, END)
    said = {
        panel.name: (await figures(clickhouse, panel, week)).rows
        for panel in PANELS
        if not panel.on_request
    }
    latency = said.pop("latency")
    if any(not 2000 <= p50 <= p99 < 2800 for _, _, p50, p99, _ in latency):
        raise RuntimeError(f"latency says {latency}, where all took from 2,000 to 2,799 ms")
    volume: Counter[str] = Counter()
    for _, channel, messages in said["volume"]:
        volume[channel] += messages
    said["volume"] = sorted([channel, messages] for channel, messages in volume.items())
    said["providers"] = sorted(said["providers"])
    for name, rows in panels(notifications).items():
        _compare(f"panel {name}", said[name], rows)


def panels(notifications: int) -> dict[str, list[list[Any]]]:
    """What panels say of the week, but for how fast it was."""
    silent = _silent(notifications)
    gone_out = notifications - silent
    by_channel = sorted(
        (channel, provider, _sent(notifications, len(CHANNELS), place))
        for place, (channel, provider) in enumerate(zip(CHANNELS, PROVIDERS, strict=True))
    )
    by_type = sorted(
        ((f"type_{place}", _sent(notifications, TYPES, place)) for place in range(TYPES)),
        key=lambda each: (-each[1], each[0]),
    )
    return {
        "funnel": [[stage, gone_out] for stage in STAGES],
        "told": [["told", gone_out], ["decided against", silent]],
        "volume": [[channel, sent] for channel, _, sent in by_channel],
        "why_not": [["opted_out", "suppressed", silent]],
        "providers": [[channel, by, sent, 0, 0, 0, 0, 0] for channel, by, sent in by_channel],
        "types": [[name, sent, 0, 0, sent, 0, sent, sent, 1] for name, sent in by_type[:20]],
        "texts": [],
        "tenants": [[TENANT, gone_out, silent, 0, 0]],
    }


def _sent(notifications: int, of: int, place: int) -> int:
    """Of so many, those whose number leaves this rest and is no multiple of five."""
    return sum(number % 5 != 0 for number in range(place, notifications, of))


def _compare(name: str, said: Any, true: Any) -> None:
    if said != true:
        raise RuntimeError(f"{name} says {said}, where {true} is true")
