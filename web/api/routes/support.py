"""`/v1/notifications?by=…`: what became of what somebody asks about, a row a notification."""

from msgspec import Struct

from web.api.call import Call
from web.api.keys import Scope
from web.api.route import Reply, Route
from web.api.services import Services
from web.workers.finding import WhereaboutsQuery, found
from web.workers.whereabouts import Whereabouts


class Support(Struct, frozen=True):
    """The handler."""

    desk: Services

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                "GET", "/v1/notifications", Scope.READ,
                "What became of notifications: each with its state now and the cause of it",
                self.find, {200: list[Whereabouts]}, None, WhereaboutsQuery,
                name="find_notifications", tag="History", deed="looked up",
            )
        ]  # fmt: skip

    async def find(self, call: Call) -> Reply:
        """From ClickHouse, Kafka and the sinks."""
        desk, tenant, now = self.desk, call.key.tenant, self.desk.clock.now()
        query: WhereaboutsQuery = call.query
        return Reply(
            await found(
                desk.settings, desk.clickhouse, desk.owners, tenant, query, now,
                desk.catalogues.current.transactional,
            )
        )  # fmt: skip
