"""`/v1/figures`: what the dashboard shows, from ClickHouse."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct, field

from analytics.panels import MINUTES_KEPT, PANELS, Figures, Panel, Span, figures
from policy.time.timestamps import moment
from schemas.event import Name
from schemas.vocabulary import Channel, Priority
from web.api.call import Call
from web.api.keys import Scope
from web.api.problem import Problem
from web.api.route import Reply, Route
from web.api.services import Services

LONGEST = timedelta(days=400)
USUAL = timedelta(days=1)
Moment = Annotated[datetime, Meta(tz=True)]


class FiguresQuery(Struct, frozen=True):
    """From when until when, by the events' own time: the last day unless given; narrowed by type,
    channel and priority."""

    start: Moment | None = field(name="from", default=None)
    end: Moment | None = field(name="to", default=None)
    type: Name | None = None
    channel: Channel | None = None
    priority: Priority | None = None


class Statistics:
    """The handlers, one for each panel."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""
        return [self._route(panel) for panel in PANELS]

    def _route(self, panel: Panel) -> Route:
        async def ask(call: Call) -> Reply:
            """From ClickHouse; of the last day unless `from` and `to` say otherwise."""
            span = self._span(call)
            return Reply(await figures(self._desk.clickhouse, panel, span))

        scope = Scope.OPERATE if panel.of_all_tenants else Scope.READ
        path = f"/v1/figures/{panel.name}"
        return Route(
            "GET", path, scope, panel.title, ask, {200: Figures}, None, FiguresQuery,
            name=f"get_{panel.name}_figures", tag="Statistics",
        )  # fmt: skip

    def _span(self, call: Call) -> Span:
        query: FiguresQuery = call.query
        now = moment(self._desk.clock.now())
        try:
            end = (query.end or now).astimezone(UTC)
            start = (query.start or _until(query, end) - USUAL).astimezone(UTC)
        except OverflowError:
            raise Problem(400, "from and to are beyond what a calendar holds.") from None
        if not timedelta(0) < end - start <= LONGEST or not 1970 < start.year < 2100:
            raise Problem(400, f"to must be after from, and by {LONGEST.days} days at most.")
        return Span(
            tenant=call.key.tenant,
            start=start,
            end=_until(query, end),
            type=query.type or "",
            channel=query.channel,
            priority=query.priority,
            minutes_from=now - MINUTES_KEPT,
        )


def _until(query: FiguresQuery, end: datetime) -> datetime:
    """Unless it is said, the end of this minute: whole ones are rolled up, and of what is left of
    one all events of a day are read."""
    if query.end is not None:
        return end
    return end.replace(second=0, microsecond=0) + timedelta(minutes=1)
