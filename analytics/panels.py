"""The questions of the dashboards: one SQL file each, the same for our page and for Grafana."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from schemas.vocabulary import Channel, Priority

FOLDER = Path(__file__).with_name("panels")
FINE = timedelta(hours=12)
"""Up to this span figures are by the minute, beyond it by the hour."""
MINUTES_KEPT = timedelta(days=14)
"""As the table by_minute has it; hours are kept for longer than any span."""
POINTS = 120
"""Of a line at most, or few more."""
LIMITS = {"max_execution_time": 20, "max_result_rows": 10_000, "result_overflow_mode": "break"}
_PARAMETER = re.compile(r"\{(\w+):\w+\}")


class Chart(StrEnum):
    """How a panel is drawn."""

    BARS = "bars"
    LINES = "lines"
    TABLE = "table"


class Panel(Struct, frozen=True):
    """A question with its title; `name` is that of its file."""

    name: str
    title: str
    chart: Chart
    of_all_tenants: bool = False

    @property
    def sql(self) -> str:
        """With `{bucket}` for `minute` or `hour`, and ClickHouse's parameters."""
        return _text_of(self.name)


@cache
def _text_of(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


PANELS = (
    Panel("funnel", "From queued to clicked", Chart.BARS),
    Panel("volume", "Messages sent", Chart.LINES),
    Panel("why_not", "Why not sent", Chart.BARS),
    Panel("latency", "Event to provider, by priority", Chart.LINES),
    Panel("providers", "Provider health", Chart.TABLE),
    Panel("types", "Top types", Chart.TABLE),
    Panel("texts", "SMS: segments and cost", Chart.TABLE),
    Panel("tenants", "Tenants", Chart.TABLE, of_all_tenants=True),
)


class Span(Struct, frozen=True):
    """What is asked about: a time range, and what to narrow it by.

    `minutes_from` is since when figures by the minute are kept, None where they surely are.
    """

    tenant: str
    start: datetime
    end: datetime
    type: str = ""
    channel: Channel | None = None
    priority: Priority | None = None
    minutes_from: datetime | None = None

    @property
    def bucket(self) -> str:
        """The finest roll-up that suits, of those that still have it."""
        is_kept = self.minutes_from is None or self.start >= self.minutes_from
        return "minute" if is_kept and self.end - self.start <= FINE else "hour"

    @property
    def step(self) -> int:
        """Seconds between the points of a line: whole buckets."""
        unit = 60 if self.bucket == "minute" else 3600
        return unit * max(1, round((self.end - self.start).total_seconds() / POINTS / unit))


class Figures(Struct, frozen=True):
    """What was found: rows by columns, and for lines the seconds from point to point."""

    columns: list[str]
    rows: list[list[Any]]
    step: int


async def figures(clickhouse: ClickHouse, panel: Panel, span: Span) -> Figures:
    """Ask ClickHouse; raises Unavailable."""
    columns, rows = await clickhouse.ask(
        panel.sql.replace("{bucket}", span.bucket),
        {
            "tenant": span.tenant,
            "from": span.start.strftime("%Y-%m-%d %H:%M:%S"),
            "to": span.end.strftime("%Y-%m-%d %H:%M:%S"),
            "type": span.type,
            "channel": span.channel or "",
            "priority": span.priority or "",
            "step": span.step,
        },
        LIMITS,
    )
    return Figures(columns, [list(row) for row in rows], span.step)


def for_grafana(panel: Panel) -> str:
    """The question with Grafana's variables in place of ClickHouse's parameters."""
    names = {"from": "$__fromTime", "to": "$__toTime", "step": "$__interval_s"}
    sql = panel.sql.replace("{bucket}", "${bucket}")
    return _PARAMETER.sub(lambda match: names.get(match[1], f"'${{{match[1]}}}'"), sql)
