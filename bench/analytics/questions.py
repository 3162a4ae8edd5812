"""How long ClickHouse takes to answer, over a week of many events whose figures are known."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from analytics.panels import PANELS, Span, figures
from analytics.timeline import day_of, timeline
from bench.pairs import Progress
from embedded.clickhouse import ClickHouse as Server
from pipeline.settings import Settings

TENANT = "acme"
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WEEK = timedelta(days=7)
USERS = 100_000
BLOCK = 500_000
"""Notifications of one insert."""
TIMES = 25
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
    concat(notification, '.', stage), stage,
    occurred + indexOf(['queued', 'sent', 'delivered', 'opened'], stage) * 250,
    occurred, occurred, {tenant:String}, concat('type_', toString(number % 40)), 'orders', 'high',
    concat('user-', toString(cityHash64(number) % {users:UInt32})),
    concat('event-', hex(number)), notification, if(number % 5 = 0, '', notification),
    ['push', 'email', 'inapp'][number % 3 + 1], if(number % 5 = 0, 'opted_out', ''),
    if(stage = 'queued' OR number % 5 = 0, '', ['fcm', 'sendgrid', 'inbox'][number % 3 + 1]),
    0, '', 'c1', 0, 0
FROM
(
    SELECT
        number,
        lower(hex(sipHash128(number))) AS notification,
        fromUnixTimestamp64Milli(
            {begin:Int64} + toInt64(number * {span:UInt64} / {total:UInt64})
        ) AS occurred,
        arrayJoin(
            if(number % 5 = 0, ['suppressed'], ['queued', 'sent', 'delivered', 'opened'])
        ) AS stage
    FROM numbers({first:UInt64}, {count:UInt64})
)
"""


class Took(Struct, frozen=True):
    """Milliseconds of one question, asked many times."""

    p50_ms: float
    p99_ms: float


class QuestionsFound(Struct, frozen=True):
    """By number of rows, how long each question took."""

    took: dict[int, dict[str, Took]]


async def run(rows: int, progress: Progress) -> QuestionsFound:
    """A tenth of the rows first, then all: what grows with them, and how."""
    took: dict[int, dict[str, Took]] = {}
    for count in (rows // 10, rows):
        with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
            async with Server(Path(folder)) as server:
                settings = Settings(clickhouse_host=server.host, clickhouse_port=server.port)
                clickhouse = ClickHouse(settings)
                try:
                    await migrate(clickhouse)
                    took[count] = await _measure(clickhouse, count, progress)
                finally:
                    await clickhouse.close()
    return QuestionsFound(took)


async def _measure(clickhouse: ClickHouse, rows: int, progress: Progress) -> dict[str, Took]:
    notifications = rows * 5 // PER_FIVE
    await _fill(clickhouse, notifications, progress)
    await _check(clickhouse, notifications)
    week = Span(TENANT, END - WEEK, END)
    day = Span(TENANT, END - timedelta(days=1), END)
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "one notification's timeline": lambda: timeline(clickhouse, TENANT, name),
        "one user's day": lambda: day_of(clickhouse, TENANT, user, (END - WEEK / 2).date()),
    }
    for panel in PANELS:
        for said, span in (("day", day), ("week", week)):
            questions[f"{panel.title}, a {said}"] = (
                lambda panel=panel, span=span: figures(clickhouse, panel, span)  # type: ignore[misc]
            )
    middle = await clickhouse.query(
        "SELECT notification_id, user FROM delivery_events "
        "WHERE toDate(occurred_at) = {day:Date} AND stage = 'sent' LIMIT 1",
        {"day": str((END - WEEK / 2).date())},
    )
    ((name, user),) = middle
    found = {}
    for said, ask in questions.items():
        progress(f"{rows:,} rows: {said}")
        found[said] = await _times(ask)
    return found


async def _fill(clickhouse: ClickHouse, notifications: int, progress: Progress) -> None:
    for first in range(0, notifications, BLOCK):
        progress(f"{first:,} of {notifications:,} notifications are in ClickHouse")
        await clickhouse.command(
            FILL,
            {
                "tenant": TENANT,
                "users": USERS,
                "begin": int((END - WEEK).timestamp() * 1000),
                "span": int(WEEK.total_seconds() * 1000) - 1000,
                "total": notifications,
                "first": first,
                "count": min(BLOCK, notifications - first),
            },
        )


async def _check(clickhouse: ClickHouse, notifications: int) -> None:
    """What the views say, against what was put in; raises RuntimeError."""
    silent = (notifications + 4) // 5
    known = (notifications, silent, *[notifications - silent] * 4)
    told = await clickhouse.query(
        "SELECT sum(decided), sum(suppressed), sum(queued), sum(sent), sum(delivered), sum(opened) "
        "FROM funnel WHERE tenant = 'acme'"
    )
    rolled = await clickhouse.query(
        "SELECT uniqExactMergeIf(happenings, stage = 'suppressed'), "
        "uniqExactMergeIf(happenings, stage = 'sent') FROM by_hour WHERE tenant = 'acme'"
    )
    if told != [known] or rolled != [(silent, notifications - silent)]:
        raise RuntimeError(f"the views say {told} and {rolled}, where {known} is true")


async def _times(ask: Callable[[], Awaitable[Any]]) -> Took:
    took = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - begin) * 1000)
    took.sort()
    return Took(round(took[TIMES // 2], 1), round(took[-1], 1))
