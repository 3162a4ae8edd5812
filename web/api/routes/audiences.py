"""`/v1/audiences`: of how many users an event would be decided, before it is sent."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from agents.router.routing import Routing
from policy.audience.audience import told_after
from policy.decision.context import NOWHERE
from policy.notification_type import NotificationType
from policy.time.timestamps import moment
from schemas.errors import BadRecord
from schemas.event import Event, Name
from schemas.question import CountAudience, Counted
from schemas.request import Broadcast
from web.api.bodies import EventBody
from web.api.call import Call
from web.api.keys import Scope
from web.api.problem import FieldError, Problem
from web.api.route import Reply, Route
from web.api.services import DECIDER, Services

SECONDS = 4.0
"""After which it is answered with what was counted by then."""
EXAMPLE = {
    "id": "news-2026-03",
    "type": "news.published",
    "actor": "shop",
    "data": {"segment": "customers", "title": "New in March", "text": "Have a look."},
}


class Audience(Struct, frozen=True, kw_only=True):
    """Of how many users it would be decided by this type; at least, where it is not exact.

    Not all of them get it: preferences, limits and all else are each user's own. `segment` is the
    one that the event is for, if it is for one.
    """

    type: Name
    users: int
    is_exact: bool
    segment: str = ""


class _Part(NamedTuple):
    """What one partition has of an audience."""

    partition: int
    broadcast: Broadcast


class Audiences:
    """The handler."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                "POST", "/v1/audiences", Scope.SEND, "Count whom an event would concern",
                self.count, {200: list[Audience]}, EventBody,
                name="count_audience", tag="Sending", example=EXAMPLE,
            )
        ]  # fmt: skip

    async def count(self, call: Call) -> Reply:
        """One answer a type; nothing is sent or stored.

        Exact where all could be counted within four seconds, and an event is for one topic: whoever
        subscribes to several would be counted for each, so it is those of the largest one.
        """
        event = call.body.event(call.key.tenant, moment(self._desk.clock.now()))
        catalogues = self._desk.catalogues
        if not catalogues.current.for_event(event):
            await catalogues.refresh()
        specs = catalogues.current.for_event(event)
        if not specs:
            raise Problem(400, "", FieldError("/type", "no notification type of the catalogue"))
        end = time.monotonic() + SECONDS
        try:
            return Reply([await self._audience(event, spec, end) for spec in specs])
        except BadRecord as error:
            raise Problem(400, "", FieldError("/data", error.detail)) from None

    async def _audience(self, event: Event, spec: NotificationType, end: float) -> Audience:
        if spec.when is not None and not spec.when.holds(event):
            return Audience(type=spec.name, users=0, is_exact=True)
        if spec.users or event.notify is not None:
            return Audience(type=spec.name, users=len(told_after(event, spec)), is_exact=True)
        by_topic: dict[str, list[_Part]] = {}
        for part in self._parts(event, spec):
            by_topic.setdefault(part.broadcast.followee, []).append(part)
        counts = [await self._count_all(parts, end) for parts in by_topic.values()]
        users, is_exact = max(counts, default=(0, True))
        segment = next((part.broadcast.named for each in by_topic.values() for part in each), "")
        is_exact = is_exact and len(counts) < 2
        return Audience(type=spec.name, users=users, is_exact=is_exact, segment=segment)

    def _parts(self, event: Event, spec: NotificationType) -> list[_Part]:
        partitions = self._desk.settings.partitions
        routing = Routing(event, NOWHERE, self._desk.clock.now(), partitions)
        if spec.followers:
            routed = routing.to_followers(spec, tuple(range(partitions)))
        else:
            routed = routing.to_everywhere(spec)
        return [
            _Part(partition, value)
            for _, partition, _, value in routed
            if isinstance(value, Broadcast)
        ]

    async def _count_all(self, parts: Sequence[_Part], end: float) -> tuple[int, bool]:
        counted = await asyncio.gather(*(self._count(part, end) for part in parts))
        return sum(users for users, _ in counted), all(is_all for _, is_all in counted)

    async def _count(self, part: _Part, end: float) -> tuple[int, bool]:
        users, done = 0, ""
        while True:
            asked = CountAudience(broadcast=part.broadcast, done=done)
            found = await self._desk.owners.ask_in(DECIDER, part.partition, asked, Counted)
            users, done = users + found.users, found.done
            if not done:
                return users, True
            if time.monotonic() >= end:
                return users, False
