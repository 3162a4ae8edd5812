"""The records that one event sets off, by the audience of its notification type."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from pipeline.producing.outputs import partition_of
from policy.audience.audience import addressed_to, concerned, followees, recipients, told_after
from policy.audience.segment import segment_of
from policy.condition import Condition
from policy.decision.ending import EVERYBODY, Ending
from policy.delivery_events import did, passed_over
from policy.notification_type import NotificationType
from schemas.event import Cancellation, Event
from schemas.request import Broadcast, Origin, Request
from schemas.topics import DELIVERY_EVENTS, REQUESTS, SUPPRESSIONS, Topic
from schemas.vocabulary import Priority

Routed = list[tuple[Topic, int, str, msgspec.Struct]]
"""Topic, partition, key and value of each record."""


@dataclass(frozen=True, slots=True)
class Routing:
    """One event, accepted by Kafka at `at` (epoch ms), on its way to user partitions.

    `is_bulk` says that its tenant is over its share.
    """

    event: Event
    origin: Origin
    at: int
    partitions: int
    is_bulk: bool = False

    def told(self, spec: NotificationType) -> Routed:
        """What it sets off by a type that is not for followers, in the same order every time;
        raises BadRecord."""
        by_name = spec.users or self.event.notify is not None
        routed = self.to_users(spec) if by_name else self.to_everywhere(spec)
        return in_bulk(routed) if self.is_bulk else routed

    def ended(self, endings: Iterable[Ending]) -> Routed:
        """What tells of all that it ends: each user it names, or everybody, in the partitions
        where that waits; raises BadRecord."""
        event, everywhere = self.event, range(self.partitions)
        routed: dict[str, Routed] = {}
        for ending in endings:
            users = concerned(event, ending.users)
            for user in [EVERYBODY] if users is None else users:
                key = ending.key(event, user)
                if key is not None:
                    said = Cancellation(
                        cancel_key=key,
                        actor=event.actor,
                        at=event.occurred_at,
                        tenant=event.tenant,
                    )
                    where = [partition_of(user, self.partitions)] if user else everywhere
                    routed[key] = [(SUPPRESSIONS, at, event.actor, said) for at in where]
        return [each for found in routed.values() for each in found]

    def passed_over(self, spec: NotificationType, condition: Condition, now: int) -> Routed:
        """What is emitted where a type's condition does not hold; raises BadRecord."""
        event, here = self.event, self.origin.partition
        users = recipients(event, spec) if spec.users or event.notify is not None else [""]
        told = [
            passed_over(event, spec, condition, self.at, now, user, self.origin) for user in users
        ]
        return [(DELIVERY_EVENTS, here, each.user, each) for each in told]

    def reached(self, spec: NotificationType, now: int) -> Routed:
        """What is emitted for those who did what the type is to bring about; raises BadRecord."""
        goal, event = spec.goal, self.event
        about = None if goal is None else goal.about(event)
        if goal is None or about is None:
            return []
        users = (concerned(event, goal.user) or []) if goal.user else [event.actor]
        rows = [did(event, spec, user, about, self.at, now) for user in users]
        # With all else that is told of the user, as an erasure meets it there.
        return [
            (DELIVERY_EVENTS, partition_of(each.user, self.partitions), each.user, each)
            for each in rows
        ]

    def to_users(self, spec: NotificationType) -> Routed:
        """One request for each user that the event names; raises BadRecord."""
        topic = REQUESTS[spec.priority]
        return [
            (topic, partition_of(user, self.partitions), user, self._request(spec, user, after))
            for user, after in told_after(self.event, spec).items()
        ]

    def to_followers(self, spec: NotificationType, partitions: tuple[int, ...]) -> Routed:
        """One broadcast for each followee to each of these partitions; raises BadRecord."""
        routed: Routed = []
        for followee in followees(self.event, spec):
            routed += self._broadcasts(spec, partitions, followee=followee)
        return routed

    def to_everywhere(self, spec: NotificationType) -> Routed:
        """Broadcasts to all partitions, for subscribers or a segment; raises BadRecord."""
        everywhere = tuple(range(self.partitions))
        if spec.subscribers:
            return self.to_followers(spec, everywhere)
        chosen = segment_of(self.event, spec)
        named = "" if chosen is None else chosen.name
        return self._broadcasts(spec, everywhere, segment=spec.segment, named=named)

    def _request(self, spec: NotificationType, user: str, after: int) -> Request:
        return Request(
            type=spec.name,
            user=user,
            event=addressed_to(user, self.event, spec),
            origin=self.origin,
            accepted_at=self.at,
            after=after,
        )

    def _broadcasts(
        self,
        spec: NotificationType,
        partitions: tuple[int, ...],
        *,
        followee: str = "",
        segment: dict[str, str] | None = None,
        named: str = "",
    ) -> Routed:
        broadcast = Broadcast(
            type=spec.name,
            event=self.event,
            origin=self.origin,
            accepted_at=self.at,
            followee=followee,
            segment=segment or {},
            named=named,
        )
        topic = REQUESTS[spec.priority]
        return [(topic, partition, self.event.actor, broadcast) for partition in partitions]


def in_bulk(routed: Routed) -> Routed:
    """The same to the topic in which nobody within a share waits behind it."""
    topic = REQUESTS[Priority.BULK]
    return [
        (topic, partition, key, msgspec.structs.replace(value, bulk=True))
        for _, partition, key, value in routed
    ]
