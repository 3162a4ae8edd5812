"""The router: who an event is for, and whether to write to followers or let feeds read.

Keyed by actor: events meet the follower counts of their actor here.
"""

import asyncio
from dataclasses import replace
from functools import partial

import msgspec
from aiokafka import ConsumerRecord

from agents.decider.erasure import is_forgotten
from agents.edges import EdgeErasures
from agents.following import drop_follow, take_follow
from agents.router.routing import Routed, Routing, in_bulk
from agents.router.unrouted import begin_routing, go_on_routing
from agents.spans import slice_done, traced
from agents.state import Stateful, open_store
from pipeline.catalogue_folder import Catalogues
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ReadTo
from pipeline.processing.misplaced import SourcedRecord, place_of
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice, in_stretches
from pipeline.producing.outputs import partition_of
from pipeline.request_buckets import RequestBuckets
from pipeline.tracing.export import is_tracing
from policy.audience.audience import Read, fan_out
from policy.body import body_digest
from policy.delivery_events import read_by_feeds
from policy.identity import counted_id
from policy.limits.fair_share import spend
from policy.notification_type import NotificationType
from schemas.erasure import Withdrawal
from schemas.errors import BadRecord
from schemas.event import Cancellation, Event
from schemas.feed import Post
from schemas.follow import Follow
from schemas.kinds import encode_in
from schemas.misplaced import Misplaced
from schemas.request import Origin
from schemas.topics import (
    CANCELLATIONS,
    DELIVERY_EVENTS,
    EVENTS,
    FOLLOWING,
    FOLLOWS,
    OUTBOX,
    PLACED,
    REQUESTS,
    SUPPRESSIONS,
    WITHDRAWALS,
    Topic,
)
from schemas.vocabulary import Priority, Reason
from tables.erasure_filter import ERASED, ERASING, ErasureFilter
from tables.followers import (
    FOLLOW_TIMES,
    FOLLOWEES,
    FOLLOWER_COUNTS,
    FOLLOWERS,
    INDEXED,
    UNFOLLOWED,
)
from tables.moved import MOVED, without_repeats
from tables.storage.store import Store
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.tenant_budgets import SHARES
from tables.unrouted import UNROUTED

NAME = "router"
CANCELLED_BULK = REQUESTS[Priority.BULK]
"""What tenants cancel beyond their share goes with all else of theirs."""
KINDS: dict[Topic, type[msgspec.Struct]] = {
    WITHDRAWALS: Withdrawal,
    FOLLOWS: Follow,
    CANCELLATIONS: Cancellation,
    EVENTS: Event,
    PLACED[NAME]: Misplaced,
}
"""In this order: whom an event concerns is known before it comes, and who is erased before that."""
WEIGHTS = {CANCELLATIONS.name: 1, EVENTS.name: 1, PLACED[NAME].name: 1}
"""Whoever cancels a lot must not hold up all events, nor a producer whose records are moved."""
TABLES = (
    FOLLOWER_COUNTS,
    FOLLOWERS,
    FOLLOWEES,
    FOLLOW_TIMES,
    UNFOLLOWED,
    INDEXED,
    SHARES,
    ERASED,
    ERASING,
    UNROUTED,
    MOVED,
)


def router(catalogues: Catalogues, runtime: Runtime) -> Role:
    """The role `router`."""

    def open_handler(number: int, closing: asyncio.Event) -> Router:
        return Router(catalogues, runtime, open_store(runtime, NAME, number, *TABLES))

    topics = tuple(topic.name for topic in KINDS)
    # Whoever wrote an event waits until it is routed, and the web has its requests counted.
    return Role(name=NAME, topics=topics, open_handler=open_handler, answers=True, weights=WEIGHTS)


_SOURCED = 1 << 15
"""Added to a partition of placed follows, so that they aren't taken for those of `follows`."""


def _number_of(record: ConsumerRecord) -> int:
    number: int = record.partition
    return number | _SOURCED if isinstance(record, SourcedRecord) else number


class Router(Stateful):
    """The router's share of one partition."""

    def __init__(self, catalogues: Catalogues, runtime: Runtime, store: Store) -> None:
        super().__init__(store, runtime, NAME, KINDS)
        self._catalogues = catalogues
        self._partitions = runtime.settings.partitions
        self._edges = EdgeErasures(partial(drop_follow, partitions=self._partitions))
        self._request_buckets = RequestBuckets()
        self._trace_ratio = runtime.settings.trace_ratio
        self._traces: list[str] = []
        self._is_routing = True  # until a look shows that nothing is left

    async def answer(self, question: bytes) -> bytes:
        """Whether more requests of a limit may be made; see schemas.question."""
        return self._request_buckets.answer(question)

    async def handle(self, slice_: Slice) -> None:
        """Route each event of the slice, count each follow, or forward each cancellation."""
        begun = self._runtime.clock.now() if is_tracing() else 0
        self._traces.clear()
        transaction = Transaction(slice_, self._store, self._runtime.outputs())
        records = list(self._intake.read(slice_, transaction.outputs))
        if slice_.partition.topic == PLACED[NAME].name:
            records = list(without_repeats(transaction, records))
        events = [value for _, value in records if isinstance(value, Event)]
        if not all(map(self._catalogues.current.knows, events)):
            # Its type may be so new that we have not looked at the files since.
            await self._catalogues.refresh()
        forgotten = ErasureFilter(transaction)
        async for stretch in in_stretches(records):
            for record, value in stretch:
                try:
                    routed = self._take(record, value, transaction, forgotten)
                except BadRecord as error:
                    self._intake.set_aside(record, error, transaction.outputs)
                    continue
                for topic, partition, key, output in routed:
                    encoded = encode_in(topic.name, output)
                    transaction.outputs.add(topic, partition, key.encode(), encoded)
        await transaction.commit()
        if self._traces:
            slice_done(NAME, slice_, self._traces, begun, self._runtime.clock.now())

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Go on with events and erasures under way; the latter once all edges are found."""
        if not (self._edges.may_be_left or self._is_routing):
            return None
        transaction = Transaction(None, self._store, self._runtime.outputs())
        if self._is_routing:
            refuse = self._intake.set_aside
            catalogue = self._catalogues.current
            self._is_routing = go_on_routing(transaction, catalogue, self._partitions, refuse)
        if self._edges.may_be_left:
            self._edges.go_on(transaction)
        await transaction.commit()
        return 0 if self._edges.may_be_left or self._is_routing else None

    def _take(
        self,
        record: ConsumerRecord,
        value: msgspec.Struct,
        transaction: Transaction,
        forgotten: ErasureFilter,
    ) -> Routed:
        match value:
            case Withdrawal():
                self._edges.withdraw(transaction, forgotten, value)
                return []
            case Follow():
                # When the producer's was taken, to all who read on, whatever it says itself.
                follow = msgspec.structs.replace(
                    value,
                    accepted_at=record.timestamp,
                    origin=(_number_of(record), record.offset),
                )
                if is_forgotten(forgotten, record, follow):
                    return []
                return self._follow(follow, transaction, forgotten)
            case Cancellation():
                return self._cancel(record, value, transaction)
            case Event():
                event = traced(record, value, self._trace_ratio)
                if event.trace:
                    self._traces.append(event.trace)
                return self._route(record, event, transaction)
        raise TypeError(f"{type(value).__name__} is nothing that a router reads")

    def _follow(self, follow: Follow, transaction: Transaction, forgotten: ErasureFilter) -> Routed:
        erased_at = max(
            forgotten.erased_at(follow.tenant, user) for user in (follow.follower, follow.followee)
        )
        if not take_follow(transaction, follow, follow.accepted_at, self._partitions, erased_at):
            return []
        # Told on even if known: the decider may not have it yet.
        partition = partition_of(follow.follower, self._partitions)
        return [(FOLLOWING, partition, follow.follower, follow)]

    def _cancel(
        self, record: ConsumerRecord, said: Cancellation, transaction: Transaction
    ) -> Routed:
        # It costs what it writes, as an event does.
        is_over = self._is_over_share(said.tenant, record.timestamp, self._partitions, transaction)
        topic = CANCELLED_BULK if is_over else SUPPRESSIONS
        return [(topic, at, said.actor, said) for at in range(self._partitions)]

    def _route(self, record: ConsumerRecord, event: Event, transaction: Transaction) -> Routed:
        catalogue = self._catalogues.current
        types = catalogue.for_event(event)
        ending = catalogue.ended_by(event)
        goals = catalogue.aimed_at(event)
        if not types and not ending and not goals:
            name = event.notify.type if event.notify else f"for {event.type!r}"
            raise BadRecord(Reason.UNKNOWN_TYPE, f"no notification type {name}")
        source = place_of(record.origin) if isinstance(record, SourcedRecord) else ""
        place = record.topic, record.partition, record.offset
        origin = Origin(*place, body_digest(event), source)
        routing = Routing(event, origin, record.timestamp, self._partitions)
        told: list[tuple[NotificationType, Routed]] = []
        written: Routed = []
        posted: Routed = []
        ended = routing.ended(ending)
        for spec in types:
            if spec.when is not None and not spec.when.holds(event):
                posted += routing.passed_over(spec, spec.when, self._runtime.clock.now())
                continue
            if not spec.followers or event.notify is not None:
                told.append((spec, routing.told(spec)))
                continue
            counts = transaction.view(FOLLOWER_COUNTS).get(key_of(event.tenant, event.actor)) or {}
            threshold = spec.fan_out_threshold or self._runtime.settings.fan_out_threshold
            choice = fan_out(counts, threshold)
            if isinstance(choice, Read):
                posted += self._post(spec, routing, sum(counts.values()))
            else:
                written += routing.to_followers(spec, choice.partitions)
        cost = len(written) + sum(len(routed) for _, routed in told) + len(ended)
        # Critical goes to bulk as well: a flood is a flood, whatever it is called.
        if self._is_over_share(event.tenant, routing.at, cost, transaction):
            routing = replace(routing, is_bulk=True)
            written = in_bulk(written)
            told = [(spec, in_bulk(routed)) for spec, routed in told]
            ended = [(CANCELLED_BULK, at, key, said) for _, at, key, said in ended]
        for spec, routed in told:
            self._is_routing = True
            written += begin_routing(transaction, routing, spec, routed)
        for spec in goals:
            posted += routing.reached(spec, self._runtime.clock.now())
        return ended + written + posted

    def _is_over_share(self, tenant: str, at: int, cost: int, transaction: Transaction) -> bool:
        if not cost:
            return False
        shares, name = transaction.view(SHARES), key_of(tenant)
        bucket, over = spend(shares.get(name), self._runtime.settings.tenant_share, cost, at)
        shares.put(name, bucket)
        return over

    def _post(self, spec: NotificationType, routing: Routing, followers: int) -> Routed:
        event, here = routing.event, routing.origin.partition
        # By its key where it has one: sent again under another id, it is no other post.
        name = counted_id(event, "", spec.name)
        post = Post(notification_id=name, type=spec.name, event=event, accepted_at=routing.at)
        told = read_by_feeds(post, spec, followers, self._runtime.clock.now())
        # To all partitions: who comes to follow later reads it too.
        posts: Routed = [(OUTBOX, at, event.actor, post) for at in range(self._partitions)]
        return [*posts, (DELIVERY_EVENTS, here, name, told)]
