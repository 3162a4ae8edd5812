"""`/v1/explain`: what would become of an event, and why."""

from msgspec import Struct

from pipeline.errors import BadRecord
from policy.explanation import Explanation
from policy.instants import moment
from schemas.event import Name
from web.api.bodies import EventBody
from web.api.desk import Desk
from web.api.keys import Scope
from web.api.problem import FieldError, Problem
from web.api.route import Call, Reply, Route


class ExplainBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An event and whom it may concern."""

    event: EventBody
    user: Name


class Asking:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route(
                "POST", "/v1/explain", Scope.READ, "Explain what would become of an event",
                self.explain, {200: list[Explanation]}, ExplainBody,
            )
        ]  # fmt: skip

    async def explain(self, call: Call) -> Reply:
        """Decided in the user's own partition, with nothing sent or stored."""
        body: ExplainBody = call.body
        event = body.event.event(call.key.tenant, moment(self._desk.clock.now()))
        try:
            return Reply(await self._desk.explain(event, body.user))
        except BadRecord as error:
            raise Problem(400, "", FieldError("/event/data", error.detail)) from None
