"""The questions of the dashboards: one SQL file each, the same for our page and for Grafana."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from schemas.vocabulary import Channel, Priority

FOLDER = Path(__file__).with_name("panels")
FINE = timedelta(hours=12)
"""Up to this span lines have points by the minute, beyond it by the hour."""
MINUTES_KEPT = timedelta(days=14)
"""As the table by_minute has it; hours are kept for longer than any span."""
LONG_AGO = datetime(1971, 1, 1, tzinfo=UTC)
POINTS = 120
"""Of a line at most, or few more."""
LIMITS = {"max_execution_time": 20, "max_result_rows": 10_000, "result_overflow_mode": "break"}
_PARAMETER = re.compile(r"(?<!\$)\{(\w+):[^}]+\}")
_MOMENTS = ("from", "to", "kept")
_WEEKS = "toIntervalDay(7 * greatest(1, intDiv(dateDiff('second', {from}, {to}) + 604799, 604800)))"
"""How long before a time it is compared with another: whole weeks, and no shorter than it is."""
_NARROWED = "{tenant} AND {type} AND {channel} AND {priority}"
_ONE_OF = "({{{0}:String}} = '' OR {0} = {{{0}:String}})"
_OURS = {
    "tenant": "tenant = {tenant:String}",
    **{name: _ONE_OF.format(name) for name in ("type", "channel", "priority")},
}
# Grafana's "All" is a list with the empty text alone, see analytics.grafana. The format is named:
# without a name, the data source's own one puts quotes around lists and around nothing else.
_IN = "('' IN (${{{0}:singlequote}}) OR {0} IN (${{{0}:singlequote}}))"
_GRAFANAS = {
    "tenant": "tenant = ${tenant:singlequote}",
    **{name: _IN.format(name) for name in ("type", "channel", "priority")},
}
_MACROS = {
    # Whole minutes, which are rolled up: what is left of one is read from all events of its day.
    "from": "toStartOfMinute(toTimeZone($__fromTime, 'UTC'))",
    "to": "(toStartOfMinute(toTimeZone($__toTime, 'UTC')) + toIntervalMinute(1))",
    "kept": f"(toStartOfDay(now('UTC')) - toIntervalDay({MINUTES_KEPT.days - 1}))",
    "step": "$__interval_s",
}


class Chart(StrEnum):
    """How a panel is drawn."""

    BARS = "bars"
    LINES = "lines"
    TABLE = "table"


class Panel(Struct, frozen=True):
    """A question with its title; `name` is that of its file.

    Some are asked again and again while somebody looks; `on_request` are those that read much, so
    that each is asked only of who wants to know.
    """

    name: str
    title: str
    chart: Chart
    of_all_tenants: bool = False
    on_request: bool = False

    @property
    def sql(self) -> str:
        """With ClickHouse's parameters."""
        return self._narrowed_by(_OURS)

    @property
    def for_grafana(self) -> str:
        """With Grafana's variables, and macros of its data source, in place of them."""
        return _PARAMETER.sub(lambda match: _MACROS[match[1]], self._narrowed_by(_GRAFANAS))

    def _narrowed_by(self, terms: dict[str, str]) -> str:
        """With its parts put in; by no tenant where it is of all."""
        if self.of_all_tenants:
            terms = {**terms, "tenant": "true"}
        sql = _text_of(f"questions/{self.name}" if self.on_request else self.name)
        sql = sql.replace("{reached}", _text_of("parts/reached").rstrip())
        happenings = _text_of("parts/happenings").rstrip()
        sql = sql.replace("{happenings}", happenings)
        earlier = re.sub(r"\{(?:from|to)\}", rf"(\g<0> - {_WEEKS})", happenings)
        sql = sql.replace("{happenings_before}", earlier)
        sql = sql.replace("{narrowed}", _NARROWED)
        for name in _MOMENTS:
            sql = sql.replace(f"{{{name}}}", f"{{{name}:DateTime64(3, 'UTC')}}")
        for name, term in terms.items():
            sql = sql.replace(f"{{{name}}}", term)
        return sql


@cache
def _text_of(name: str) -> str:
    return (FOLDER / f"{name}.sql").read_text()


PANELS = (
    Panel("funnel", "From queued to clicked", Chart.BARS),
    Panel("told", "Who was told, on any channel", Chart.BARS),
    Panel("volume", "Messages sent", Chart.LINES),
    Panel("why_not", "Why not sent, by channel", Chart.BARS),
    Panel("latency", "Event to provider, by priority", Chart.LINES),
    Panel("providers", "Provider health", Chart.TABLE),
    Panel("types", "Top types", Chart.TABLE),
    Panel("texts", "SMS: segments and cost", Chart.TABLE),
    Panel("tenants", "Tenants", Chart.TABLE, of_all_tenants=True),
    *(
        Panel(name, title, Chart.TABLE, name == "tenant_costs", on_request=True)
        for name, title in (
            ("deliverability", "Deliverability by mailbox provider, country and platform"),
            ("deliverability_by_carrier", "Texts by country, carrier and provider"),
            ("outcomes_by_attribute", "What became of notifications, by attribute of users"),
            ("opt_outs", "Unsubscribed and complained, by type"),
            ("opt_outs_by_means", "Who left what, and by what"),
            ("sends_per_user", "Users by how many notifications they were sent"),
            ("time_to_open", "Seconds until opened, by type"),
            ("week_over_week", "Messages sent, against the weeks before"),
            ("slo_budget", "Error budget left, by priority"),
            ("digests", "Digests, and the events in them"),
            ("costs", "Cost by type, channel and provider"),
            ("tenant_costs", "Cost by tenant and channel"),
            ("holdout_lift", "What telling brings, by holdout (all channels and priorities)"),
            ("retention", "Who is still there, told or held out (all channels and priorities)"),
        )
    ),
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
    def step(self) -> int:
        """Seconds between the points of a line: whole minutes or hours."""
        fine = self.end - self.start <= FINE
        kept = self.minutes_from is None or self.start >= self.minutes_from
        unit = 60 if fine and kept else 3600
        return unit * max(1, round((self.end - self.start).total_seconds() / POINTS / unit))


class Figures(Struct, frozen=True):
    """What was found: rows by columns, and for lines the seconds from point to point."""

    columns: list[str]
    rows: list[list[Any]]
    step: int


async def figures(clickhouse: ClickHouse, panel: Panel, span: Span) -> Figures:
    """Ask ClickHouse; raises Unavailable."""
    columns, rows = await clickhouse.ask(
        panel.sql,
        {
            "tenant": span.tenant,
            "from": _exactly(span.start),
            "to": _exactly(span.end),
            "kept": _exactly(span.minutes_from or LONG_AGO),
            "type": span.type,
            "channel": span.channel or "",
            "priority": span.priority or "",
            "step": span.step,
        },
        LIMITS,
    )
    return Figures(columns, [list(row) for row in rows], span.step)


def _exactly(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
