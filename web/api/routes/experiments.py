"""`/v1/experiments/{type}`: how the variants of a type's texts do."""

import datetime

from msgspec import Struct, field

from analytics.experiments import FIRST, LAST, Asked, experiments_of
from policy.experiments.results import Metric, Results
from web.api.call import Call
from web.api.keys import Scope
from web.api.problem import Problem
from web.api.route import Reply, Route
from web.api.services import Services


class ExperimentsQuery(Struct, frozen=True):
    """What counts as a success, and of events of which days (UTC), inclusive: all unless given."""

    metric: Metric = Metric.OPENED
    start: datetime.date = field(name="from", default=FIRST)
    end: datetime.date = field(name="to", default=LAST)


class Experiments:
    """The handler."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                "GET", "/v1/experiments/{type}", Scope.READ, "How the variants of a type do",
                self.results, {200: list[Results]}, None, ExperimentsQuery,
                name="get_experiment_results", tag="Statistics",
            )
        ]  # fmt: skip

    async def results(self, call: Call) -> Reply:
        """From ClickHouse: the experiment that the type has, and those that it had."""
        query: ExperimentsQuery = call.query
        if query.end < query.start:
            raise Problem(400, "to must not be before from.")
        name = call.path["type"]
        asked = Asked(
            tenant=call.key.tenant,
            type=name,
            metric=query.metric,
            start=query.start,
            end=query.end,
        )
        spec = self._desk.catalogues.current.types.get(name)
        return Reply(await experiments_of(self._desk.clickhouse, asked, spec))
