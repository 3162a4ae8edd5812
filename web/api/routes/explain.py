"""`/v1/explain`: what would become of an event, and why."""

from msgspec import Struct

from policy.audience.membership import Membership
from policy.decision.decision import Outcome
from policy.decision.explanation import Asked, Explanation, Sent
from policy.time.timestamps import moment, timestamp
from schemas.errors import BadRecord
from schemas.event import Name, Timestamp
from schemas.vocabulary import Channel, Reason
from web.api.bodies import EventBody, SendQuery
from web.api.call import Call
from web.api.keys import Scope
from web.api.problem import FieldError, Problem
from web.api.route import Reply, Route
from web.api.routes.sending import EVENT
from web.api.services import Services


class ExplainBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An event and whom it may concern."""

    event: EventBody
    user: Name


class Waiting(Struct, frozen=True):
    """What is deferred until then; of a digest, `gathered` events are in it with this one."""

    channel: Channel
    until: Timestamp
    reason: Reason
    detail: str
    gathered: int = 0


class Explained(Struct, frozen=True, kw_only=True):
    """One notification type for one user: in its audience or not, and what was asked.

    `refused` is why the event becomes a dead letter. `told_before` says that a decision on the
    same id is stored, so that nothing would come of this; the rest is as if it were not. `variant`
    is which of the type's experiment the user reads, as EXPERIMENT/VARIANT.
    """

    type: str
    catalogue: str
    membership: Membership
    asked: tuple[Asked, ...]
    sent: tuple[Sent, ...]
    waits: tuple[Waiting, ...]
    silent: tuple[Outcome, ...]
    told_before: Outcome | None
    refused: str
    variant: str


class Asking:
    """The handlers."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route(
                "POST", "/v1/explain", Scope.READ, "Explain what would become of an event",
                self.explain, {200: list[Explained]}, ExplainBody, SendQuery,
                name="explain", tag="History", deed="looked up",
                example={"event": EVENT, "user": "ada"},
            )
        ]  # fmt: skip

    async def explain(self, call: Call) -> Reply:
        """Decided in the user's own partition, with nothing sent or stored."""
        body: ExplainBody = call.body
        event = body.event.event(call.key.tenant, moment(self._desk.clock.now()))
        after = await self._desk.decided([body.user], call.query.position)
        try:
            found = await self._desk.explain(event, body.user, after.get(body.user))
            return Reply(list(map(_shown, found)))
        except BadRecord as error:
            raise Problem(400, "", FieldError("/event/data", error.detail)) from None


def _shown(found: Explanation) -> Explained:
    fields = {name: getattr(found, name) for name in Explained.__struct_fields__}
    waits = [
        Waiting(each.channel, timestamp(each.until), each.reason, each.detail, each.gathered)
        for each in found.waits
    ]
    return Explained(**{**fields, "waits": tuple(waits)})
