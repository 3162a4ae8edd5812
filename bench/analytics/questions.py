"""How long ClickHouse takes to answer, over a week of many events whose figures are known."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from analytics.panels import PANELS, Span, figures
from analytics.timeline import day_of, timeline
from bench.analytics.known_week import END, PER_FIVE, TENANT, WEEK, check, fill
from bench.analytics.stored import TABLES, bytes_per_event
from bench.pairs import Progress
from bench.processor import cpu_seconds, cpu_us_each
from embedded.clickhouse import ClickHouse as Server
from pipeline.settings import Settings

TIMES, LEAST_TIMES = 25, 3
SECONDS = 10.0
"""For which one question is asked again and again, so that dear ones don't take hours."""
UNFINISHED = """
SELECT count() FROM unfinished WHERE tenant = {tenant:String} AND day = {day:Date}
"""


class Took(Struct, frozen=True):
    """Milliseconds of one question, asked so many times, and what the engine did for it each time:
    milliseconds of processor time and megabytes read, uncompressed."""

    times: int
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
    # As the page asks: whole minutes, and seldom whole hours.
    until = END - timedelta(minutes=17)
    day = Span(TENANT, until - timedelta(days=1), until)
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


async def _times(clickhouse: Watched, engine: int, ask: Callable[[], Awaitable[Any]]) -> Took:
    took = list[float]()
    pids = {"engine": engine}
    cpu, clickhouse.read_bytes = cpu_seconds(pids), 0
    end = time.perf_counter() + SECONDS
    while len(took) < LEAST_TIMES or (len(took) < TIMES and time.perf_counter() < end):
        begin = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - begin) * 1000)
    took.sort()
    times = len(took)
    return Took(
        times=times,
        p50_ms=round(took[times // 2], 1),
        p99_ms=round(took[-1], 1),
        cpu_ms=round(cpu_us_each(cpu, cpu_seconds(pids), times)["engine"] / 1000, 1),
        read_mb=round(clickhouse.read_bytes / times / 1e6, 2),
    )
