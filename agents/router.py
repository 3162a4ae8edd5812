"""The router: who an event is for, and whether to write to followers or let feeds read.

Keyed by actor: events meet the follower counts of their actor here.
"""

import asyncio
from functools import partial

import msgspec
from aiokafka import ConsumerRecord

from agents.state import Stateful, open_store
from pipeline.errors import BadRecord
from pipeline.intake import Intake
from pipeline.outputs import partition_of
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.topics import (
    BROADCASTS,
    DELIVERY_EVENTS,
    EVENTS,
    FOLLOWING,
    FOLLOWS,
    OUTBOX,
    REQUESTS,
    Topic,
)
from policy.audience import Read, fan_out, recipients
from policy.catalogue import Catalogue
from policy.delivery_events import read_by_feeds
from policy.identity import notification_id
from policy.notification_type import NotificationType
from schemas.event import Event
from schemas.follow import Follow
from schemas.post import Post
from schemas.request import Broadcast, Origin, Request
from schemas.vocabulary import Reason
from tables.followers import FOLLOWER_COUNTS, FOLLOWERS
from tables.table import key_of
from tables.turn import Turn

NAME = "router"
encode = msgspec.json.Encoder().encode
Routed = list[tuple[Topic, int, str, msgspec.Struct]]
"""Topic, partition, key and value of what one event sets off."""


def router(catalogue: Catalogue, runtime: Runtime) -> Role:
    """The role `router`."""
    topics = (FOLLOWS.name, EVENTS.name)
    return Role(name=NAME, topics=topics, open_handler=partial(Router, catalogue, runtime))


class Router(Stateful):
    """The router's share of one partition."""

    def __init__(
        self, catalogue: Catalogue, runtime: Runtime, number: int, closing: asyncio.Event
    ) -> None:
        self._catalogue = catalogue
        self._runtime = runtime
        self._partitions = runtime.settings.partitions
        super().__init__(open_store(runtime, NAME, number, FOLLOWER_COUNTS, FOLLOWERS))
        kinds: dict[Topic, type[msgspec.Struct]] = {EVENTS: Event, FOLLOWS: Follow}
        self._intake = Intake(NAME, kinds, runtime.clock, runtime.settings.bad_share)

    async def handle(self, slice_: Slice) -> None:
        """Route each event of the slice, or count each follow."""
        turn = Turn(slice_, self._store, self._runtime.outputs())
        for record, value in self._intake.read(slice_, turn.outputs):
            try:
                routed = (
                    self._follow(value, turn)
                    if isinstance(value, Follow)
                    else self._route(record, value, turn)
                )
            except BadRecord as error:
                self._intake.set_aside(record, error, turn.outputs)
                continue
            for topic, partition, key, output in routed:
                turn.outputs.add(topic, partition, key.encode(), encode(output))
        await turn.finish()

    def _follow(self, follow: Follow, turn: Turn) -> Routed:
        followee = key_of(follow.tenant, follow.followee)
        edge = key_of(follow.tenant, follow.followee, follow.follower)
        partition = partition_of(follow.follower, self._partitions)
        edges, counts = turn.view(FOLLOWERS), turn.view(FOLLOWER_COUNTS)
        if follow.following != bool(edges.get(edge)):
            edges.put(edge, True if follow.following else None)
            count = dict(counts.get(followee) or {})
            count[partition] = count.get(partition, 0) + (1 if follow.following else -1)
            counts.put(followee, {at: n for at, n in count.items() if n})
        # Told on even if known: the decider may not have it yet.
        return [(FOLLOWING, partition, follow.follower, follow)]

    def _route(self, record: ConsumerRecord, event: Event, turn: Turn) -> Routed:
        types = self._catalogue.for_event(event.type)
        if not types:
            raise BadRecord(Reason.UNKNOWN_TYPE, f"no notification type for {event.type!r}")
        origin = Origin(record.topic, record.partition, record.offset)
        routed: Routed = []
        for spec in types:
            if spec.followers:
                routed += self._to_followers(spec, event, origin, record.timestamp, turn)
            else:
                routed += self._to_users(spec, event, origin, record.timestamp)
        return routed

    def _to_users(
        self, spec: NotificationType, event: Event, origin: Origin, accepted_at: int
    ) -> Routed:
        return [
            (
                REQUESTS,
                partition_of(user, self._partitions),
                user,
                Request(
                    type=spec.name, user=user, event=event, origin=origin, accepted_at=accepted_at
                ),
            )
            for user in recipients(event, spec)
        ]

    def _to_followers(
        self, spec: NotificationType, event: Event, origin: Origin, accepted_at: int, turn: Turn
    ) -> Routed:
        counts = turn.view(FOLLOWER_COUNTS).get(key_of(event.tenant, event.actor)) or {}
        threshold = spec.fan_out_threshold or self._runtime.settings.fan_out_threshold
        choice = fan_out(counts, threshold)
        if isinstance(choice, Read):
            post_id = notification_id(event.tenant, event.id, "", spec.name)
            post = Post(
                notification_id=post_id, type=spec.name, event=event, accepted_at=accepted_at
            )
            told = read_by_feeds(post, spec, sum(counts.values()), self._runtime.clock.now())
            here = origin.partition
            return [(OUTBOX, here, event.actor, post), (DELIVERY_EVENTS, here, post_id, told)]
        broadcast = Broadcast(type=spec.name, event=event, origin=origin, accepted_at=accepted_at)
        return [(BROADCASTS, at, event.actor, broadcast) for at in choice.partitions]
