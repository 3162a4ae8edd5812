"""How long ClickHouse takes to answer, over a week of many events whose figures are known."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from analytics.panels import PANELS, Span, figures
from analytics.timeline import day_of, timeline
from bench.analytics.stored import TABLES, bytes_per_event
from bench.pairs import Progress
from bench.processor import cpu_seconds, cpu_us_each
from embedded.clickhouse import ClickHouse as Server
from pipeline.settings import Settings

TENANT = "acme"
END = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WEEK = timedelta(days=7)
DAY_MS = 86_400_000
SPAN_MS = 7 * DAY_MS - 1000
"""In which the events occur, evenly."""
USERS = 100_000
BLOCK = 500_000
"""Notifications of one insert."""
TIMES = 25
UNFINISHED = """
SELECT count() FROM unfinished WHERE tenant = {tenant:String} AND day = {day:Date}
"""
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
    accepted + multiIf(
        stage = 'opened', 60000 + cityHash64(number, stage) % 40000000,
        indexOf(['queued', 'sent', 'delivered'], stage) * 1000 + cityHash64(number, stage) % 800
    ),
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
        occurred + cityHash64(number, 'accepted') % 300 AS accepted,
        arrayJoin(
            if(silent, ['suppressed'], ['queued', 'sent', 'delivered', 'opened'])
        ) AS stage
    FROM numbers({first:UInt64}, {count:UInt64})
)
"""
"""Ids that nothing is told from, and times that wander, as in life: else it compresses too well."""


class Took(Struct, frozen=True):
    """Milliseconds of one question, asked many times, and what the engine did for it: milliseconds
    of processor time and megabytes read, uncompressed, each time."""

    p50_ms: float
    p99_ms: float
    cpu_ms: float
    read_mb: float


class QuestionsFound(Struct, frozen=True):
    """By number of rows, how long each question took, and bytes an event in each table, merged."""

    took: dict[int, dict[str, Took]]
    stored: dict[int, dict[str, float]]


class Watched(ClickHouse):
    """Knows how many bytes its queries had the engine read."""

    read_bytes = 0

    async def _try(self, method: str, *args: Any, **kwargs: Any) -> Any:
        result = await super()._try(method, *args, **kwargs)
        self.read_bytes += int((getattr(result, "summary", None) or {}).get("read_bytes", 0))
        return result


async def run(rows: int, progress: Progress) -> QuestionsFound:
    """A tenth of the rows first, then all: what grows with them, and how."""
    found = QuestionsFound({}, {})
    for count in (rows // 10, rows):
        with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
            async with Server(Path(folder)) as server:
                settings = Settings(clickhouse_host=server.host, clickhouse_port=server.port)
                clickhouse = Watched(settings)
                try:
                    await migrate(clickhouse)
                    notifications = count * 5 // PER_FIVE
                    await fill(clickhouse, notifications, progress)
                    await check(clickhouse, notifications)
                    found.took[count] = await _measure(clickhouse, server.pid, count, progress)
                    progress(f"{count:,} rows: merging")
                    found.stored[count] = await bytes_per_event(clickhouse, TABLES)
                    await check(clickhouse, notifications)
                finally:
                    await clickhouse.close()
    return found


async def _measure(
    clickhouse: Watched, engine: int, rows: int, progress: Progress
) -> dict[str, Took]:
    week = Span(TENANT, END - WEEK, END)
    day = Span(TENANT, END - timedelta(days=1), END)
    middle = END - WEEK / 2
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "one notification's timeline": lambda: timeline(clickhouse, TENANT, name),
        "one user's day": lambda: day_of(clickhouse, TENANT, user, middle.date()),
        "what is unfinished, a day": lambda: clickhouse.query(
            UNFINISHED, {"tenant": TENANT, "day": str(middle.date())}
        ),
        "the dashboard, a day": lambda: _dashboard(clickhouse, day),
    }
    for panel in PANELS:
        for said, span in (("day", day), ("week", week)):
            questions[f"{panel.title}, a {said}"] = (
                lambda panel=panel, span=span: figures(clickhouse, panel, span)  # type: ignore[misc]
            )
    ((name, user),) = await clickhouse.query(
        "SELECT notification_id, user FROM delivery_events "
        "WHERE toDate(occurred_at) = {day:Date} AND stage = 'sent' LIMIT 1",
        {"day": str(middle.date())},
    )
    found = {}
    for said, ask in questions.items():
        progress(f"{rows:,} rows: {said}")
        found[said] = await _times(clickhouse, engine, ask)
    return found


async def _dashboard(clickhouse: ClickHouse, span: Span) -> None:
    for panel in PANELS:
        if not panel.on_request:
            await figures(clickhouse, panel, span)


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
    """Compare what views and roll-ups say of each day with what was put in; raises RuntimeError."""
    funnel = {
        day: (all_, silent, *[all_ - silent] * 4)
        for day, (all_, silent) in known(notifications).items()
        if all_
    }
    told = await clickhouse.query(
        "SELECT day, sum(decided), sum(suppressed), sum(queued), sum(sent), sum(delivered), "
        "sum(opened) FROM funnel WHERE tenant = 'acme' GROUP BY day ORDER BY day"
    )
    rolled = await clickhouse.query(
        "SELECT day, sumIf(messages, stage = 'suppressed'), sumIf(messages, stage = 'opened') "
        "FROM hourly WHERE tenant = 'acme' GROUP BY day ORDER BY day"
    )
    if told != [(day, *counts) for day, counts in funnel.items()]:
        raise RuntimeError(f"the funnel says {told}, where {funnel} is true")
    if rolled != [(day, counts[1], counts[-1]) for day, counts in funnel.items()]:
        raise RuntimeError(f"the hours say {rolled}, where {funnel} is true")


async def _times(clickhouse: Watched, engine: int, ask: Callable[[], Awaitable[Any]]) -> Took:
    took = []
    pids = {"engine": engine}
    cpu, clickhouse.read_bytes = cpu_seconds(pids), 0
    for _ in range(TIMES):
        begin = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - begin) * 1000)
    took.sort()
    return Took(
        p50_ms=round(took[TIMES // 2], 1),
        p99_ms=round(took[-1], 1),
        cpu_ms=round(cpu_us_each(cpu, cpu_seconds(pids), TIMES)["engine"] / 1000, 1),
        read_mb=round(clickhouse.read_bytes / TIMES / 1e6, 2),
    )
