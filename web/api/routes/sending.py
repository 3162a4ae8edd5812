"""`/v1/events`, `/v1/notifications`, `/v1/cancellations`: what producers send."""

import asyncio
import re

from msgspec.structs import replace

from policy.audience.audience import recipients
from policy.catalogue.catalogue import Catalogue
from policy.decision.explanation import Explanation
from policy.message import BadMessage
from policy.notification_type import YEAR_MS, NotificationType
from policy.time.timestamps import moment
from schemas.errors import BadRecord
from schemas.event import Cancellation, Event
from schemas.topics import CANCELLATIONS, EVENTS
from schemas.trace import parse, state_of
from schemas.vocabulary import Reason
from web.api.bodies import (
    AllNotified,
    AllTaken,
    CancellationBody,
    EventBody,
    EventsBody,
    NotificationBody,
    NotificationsBody,
    Notified,
    SendQuery,
    Taken,
    ids_of,
)
from web.api.call import Call
from web.api.idempotency import with_key, with_keys
from web.api.keys import Scope
from web.api.problem import FieldError, Problem, ProblemBody
from web.api.route import Reply, Route
from web.api.services import Services

MOST_ASKED = 1000
"""Users of one request whose partitions are asked, if anything is asked."""
AT_ONCE = 64
TAG = "Sending"
EVENT = {
    "id": "order-77-shipped",
    "type": "order.shipped",
    "actor": "shop",
    "occurred_at": "2026-03-14T09:26:53.589Z",
    "data": {"customer_id": "ada", "order_id": "77", "carrier": "DHL", "tracking_number": "1Z5"},
}
COMMENT = {"commenter_name": "Bo", "post_title": "Cats", "post_id": "1", "text": "Nice"}
MESSAGE = {"users": ["ada"], "title": "Hi", "body": "Hello", "channels": ["inapp", "push"]}
_STEP = re.compile(r"[^.\[\]]+")
_SILENCED = {Reason.OPTED_OUT, Reason.NO_ADDRESS, Reason.FALL_BACK, Reason.OFFLINE, Reason.ONLINE}


class Sending:
    """The handlers."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""
        refusals = {409: ProblemBody, 422: ProblemBody}
        notification = {"type": "comment_added", "users": ["ada"], "data": COMMENT}
        return [
            Route(
                "POST", "/v1/events", Scope.SEND, "Report an event", self.event,
                {202: Taken, **refusals}, EventBody, SendQuery,
                name="send_event", tag=TAG, example=EVENT, keyed=True,
            ),
            Route(
                "POST", "/v1/events/bulk", Scope.SEND, "Report many events",
                self.events, {202: AllTaken, **refusals}, EventsBody, SendQuery,
                name="send_events", tag=TAG, example={"events": [EVENT]}, keyed=True,
            ),
            Route(
                "POST", "/v1/notifications", Scope.SEND, "Notify users", self.notification,
                {202: Notified, **refusals}, NotificationBody, SendQuery,
                name="notify", tag=TAG, example=MESSAGE, keyed=True,
            ),
            Route(
                "POST", "/v1/notifications/bulk", Scope.SEND, "Notify users, many times",
                self.notifications, {202: AllNotified, **refusals}, NotificationsBody, SendQuery,
                name="notify_many", tag=TAG, example={"notifications": [notification]}, keyed=True,
            ),
            Route(
                "POST", "/v1/cancellations", Scope.SEND, "Cancel what is deferred under a key",
                self.cancellation, {202: Taken}, CancellationBody,
                name="cancel", tag=TAG, example={"cancel_key": "order-77"},
            ),
        ]  # fmt: skip

    async def event(self, call: Call) -> Reply:
        """202 once Kafka has it; what comes of it is decided after that.

        409 says that the same key, or id, came with another body, and that this was decided by
        then. Of two at once both may be answered 202, and the one that is decided second notifies
        nobody. Sent again with the `position` of its 202, a request is answered for certain:
        409, or 202 if it is the one that counts.
        """
        body = with_key(call.body, call.idempotency_key)
        (event,) = await self._checked([body], call, "")
        written = await self._desk.route_all(EVENTS, [event])
        return Reply(Taken(event.id, written.position), 202)

    async def events(self, call: Call) -> Reply:
        """202 once Kafka has all of them; 409, for all of them, as for an event."""
        bodies = with_keys(call.body.events, call.idempotency_key)
        events = await self._checked(bodies, call, "/events/{}")
        written = await self._desk.route_all(EVENTS, events)
        return Reply(AllTaken([event.id for event in events], written.position), 202)

    async def notification(self, call: Call) -> Reply:
        """202 once Kafka has it; 409 as for an event."""
        body = with_key(call.body, call.idempotency_key)
        all_notified = await self._notify([body], call, "")
        return Reply(all_notified.notifications[0], 202)

    async def notifications(self, call: Call) -> Reply:
        """202 once Kafka has all of them; 409, for all of them, as for an event."""
        bodies = with_keys(call.body.notifications, call.idempotency_key)
        return Reply(await self._notify(bodies, call, "/notifications/{}"), 202)

    async def cancellation(self, call: Call) -> Reply:
        """202 once Kafka has it."""
        body: CancellationBody = call.body
        at = body.at or moment(self._desk.clock.now())
        said = Cancellation(
            cancel_key=body.cancel_key, actor=body.actor, at=at, tenant=call.key.tenant
        )
        written = await self._desk.route_all(CANCELLATIONS, [said])
        return Reply(Taken(body.cancel_key, written.position), 202)

    async def _checked(self, bodies: list[EventBody], call: Call, within: str) -> list[Event]:
        """The events; raises Problem for types that nobody knows, and for conflicts."""
        now = moment(self._desk.clock.now())
        events = _traced([body.event(call.key.tenant, now) for body in bodies], call)
        self._in_time(events, within, ["/deliver_at"] * len(events))
        await self._known(events, within, ["/data"] * len(events))
        await self._agree(events, within, call.query.position)
        return events

    def _in_time(self, events: list[Event], within: str, fields: list[str]) -> None:
        latest = moment(self._desk.clock.now() + YEAR_MS)
        errors = [
            FieldError(within.format(at) + field, "is over a year ahead")
            for at, (event, field) in enumerate(zip(events, fields, strict=True))
            if event.deliver_at is not None and event.deliver_at > latest
        ]
        if errors:
            raise Problem(400, "", *errors)

    async def _known(self, events: list[Event], within: str, places: list[str]) -> None:
        """Raises Problem; what is wrong with a message is told of the fields at these places."""
        catalogues = self._desk.catalogues
        if not all(map(catalogues.current.knows, events)):
            await catalogues.refresh()
        errors = [
            _unknown(catalogues.current, event, within.format(at), place)
            for at, (event, place) in enumerate(zip(events, places, strict=True))
            if not catalogues.current.knows(event)
        ]
        if errors:
            raise Problem(400, "", *errors)

    async def _agree(self, events: list[Event], within: str, position: str | None) -> None:
        """Raises Problem for an event whose key came before with something else in it."""
        asked = [
            (event, user)
            for at, event in enumerate(events)
            if event.idempotency_key is not None or position is not None
            for spec in self._desk.catalogues.current.for_event(event)
            if spec.users
            for user in _named(event, spec, within.format(at))
        ]
        if not asked:
            return
        explained = await self._explained(asked, position)
        for (event, user), found in zip(asked, explained, strict=True):
            _refuse_conflict(found, event, user)

    async def _notify(self, bodies: list[NotificationBody], call: Call, within: str) -> AllNotified:
        now = moment(self._desk.clock.now())
        _name_once(bodies, within)
        _say_one_thing(bodies, within)
        events = _traced([body.event(call.key.tenant, now) for body in bodies], call)
        fields = ["/data" if body.type else "" for body in bodies]
        self._in_time(
            events, within, ["/scheduled_at" if b.scheduled_at else "/deliver_at" for b in bodies]
        )
        await self._known(events, within, fields)
        asked = [(event, user) for event in events for user in ids_of(event)]
        if len(asked) > MOST_ASKED:
            raise Problem(400, f"{MOST_ASKED} users can be named in one request.")
        found = await self._explained(asked, call.query.position)
        silent: dict[int, list[str]] = {}
        places = (at for at, event in enumerate(events) for _ in ids_of(event))
        for at, (event, user), explained in zip(places, asked, found, strict=True):
            _refuse_conflict(explained, event, user)
            for each in explained:
                if each.refused:
                    raise Problem(400, "", FieldError(within.format(at) + "/data", each.refused))
            if explained and all(map(is_opted_out, explained)):
                silent.setdefault(at, []).append(user)
        if sum(map(len, silent.values())) == len(asked):
            names = ", ".join(sorted({user for _, user in asked})[:10])
            raise Problem(422, f"Opted out of all of its channels: {names}. Nothing was sent.")
        position = (await self._desk.route_all(EVENTS, events)).position
        notified = [
            Notified(event.id, ids_of(event), position, tuple(silent.get(at, ())))
            for at, event in enumerate(events)
        ]
        return AllNotified(notified, position)

    async def _explained(
        self, asked: list[tuple[Event, str]], position: str | None
    ) -> list[list[Explanation]]:
        """What would become of each, asked once what is written at the position is decided."""
        slots = asyncio.Semaphore(AT_ONCE)
        after = await self._desk.decided({user for _, user in asked}, position)

        async def ask(event: Event, user: str) -> list[Explanation]:
            async with slots:
                try:
                    return await self._desk.explain(event, user, after.get(user))
                except BadRecord as error:
                    raise Problem(400, error.detail) from None

        return list(await asyncio.gather(*(ask(*each) for each in asked)))


def is_opted_out(found: Explanation) -> bool:
    """Whether nothing would go out or wait, as the user wants none of it where they are reached."""
    reasons = {outcome.reason for outcome in found.silent}
    nothing = not (found.sent or found.waits or found.told_before)
    return nothing and Reason.OPTED_OUT in reasons and reasons <= _SILENCED


def _unknown(catalogue: Catalogue, event: Event, within: str, place: str) -> FieldError:
    """What is wrong with an event that sets nothing off."""
    try:
        catalogue.for_event(event)
    except BadMessage as error:
        field = "".join(f"/{step}" for step in _STEP.findall(error.field))
        return FieldError(within + place + field, error.complaint)
    return FieldError(f"{within}/type", "no notification type of the catalogue")


def _say_one_thing(bodies: list[NotificationBody], within: str) -> None:
    """Raises Problem for what is neither of a type nor a message, or is both."""
    errors = []
    for at, body in enumerate(bodies):
        wrong = _neither(body)
        errors += [FieldError(f"{within.format(at)}/{name}", said) for name, said in wrong.items()]
    if errors:
        raise Problem(400, "", *errors)


def _neither(body: NotificationBody) -> dict[str, str]:
    """By field, why a body is neither of a type nor a message."""
    given = body.message()
    if body.type:
        return dict.fromkeys(given, "is for messages, which have no type")
    if body.data:
        return {"type": "is missing, and data are for a type"}
    said = "is missing: say a type, or body and channels of a message"
    return {name: said for name in ("body", "channels") if name not in given}


def _name_once(bodies: list[NotificationBody], within: str) -> None:
    """Raises Problem where a moment is given under its older name too."""
    said = "is an older name of deliver_at: one of them is enough"
    errors = [
        FieldError(within.format(at) + "/scheduled_at", said)
        for at, body in enumerate(bodies)
        if body.scheduled_at is not None and body.deliver_at is not None
    ]
    if errors:
        raise Problem(400, "", *errors)


def _refuse_conflict(found: list[Explanation], event: Event, user: str) -> None:
    for each in found:
        if each.told_before is not None and each.told_before.reason is Reason.CONFLICT:
            key = event.idempotency_key or event.id
            raise Problem(
                409, f"{key!r} was taken before with another body, for {user}. Nothing was sent."
            )


def _named(event: Event, spec: NotificationType, within: str) -> list[str]:
    try:
        return recipients(event, spec)
    except BadRecord as error:
        raise Problem(400, "", FieldError(f"{within}/data", error.detail)) from None


def _traced(events: list[Event], call: Call) -> list[Event]:
    """The events, as part of the trace that the request is part of, if it is recorded."""
    context, _ = parse(call.traceparent)
    if context is None:
        return events
    trace, state = str(context), state_of(call.tracestate)
    return [replace(each, trace=trace, tracestate=state) for each in events]
