"""The decider: is this user told, where, and if not, why not.

Keyed by user: requests and broadcasts meet preferences, contacts, presence and ledgers here.
"""

import asyncio
from functools import partial

import msgspec

from agents.state import Stateful, open_store
from pipeline.errors import BadRecord
from pipeline.intake import Intake
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.topics import (
    BROADCASTS,
    CONTACTS,
    DELIVER,
    DELIVERY_EVENTS,
    FOLLOWING,
    PREFERENCES,
    PRESENCE,
    REQUESTS,
    Topic,
)
from policy.catalogue import Catalogue
from policy.decide import decide
from policy.decision import Decision
from policy.delivery_events import reached, suppressed
from policy.notification_type import NotificationType
from policy.user import Ledger, Profile
from schemas.follow import Follow
from schemas.profile import Contacts, Preferences, Presence
from schemas.request import Broadcast, Request
from schemas.vocabulary import Reason, Stage
from tables.followers import FOLLOWERS
from tables.table import key_of, last_part
from tables.turn import Turn
from tables.users import LEDGERS, PROFILES

NAME = "decider"
KINDS: dict[Topic, type[msgspec.Struct]] = {
    CONTACTS: Contacts,
    PREFERENCES: Preferences,
    PRESENCE: Presence,
    FOLLOWING: Follow,
    REQUESTS: Request,
    BROADCASTS: Broadcast,
}
"""In this order a partition's topics are worked on: what is known first, the many last."""
STRANGER, NOTHING_YET = Profile(), Ledger()
BROADCAST_SLICE = 16
"""Broadcasts in one slice; each may stand for as many decisions as the fan-out threshold."""
encode = msgspec.json.Encoder().encode


def decider(catalogue: Catalogue, runtime: Runtime) -> Role:
    """The role `decider`."""
    return Role(
        name=NAME,
        topics=tuple(topic.name for topic in KINDS),
        open_handler=partial(Decider, catalogue, runtime),
        slice_records={BROADCASTS.name: BROADCAST_SLICE},
    )


class Decider(Stateful):
    """The decider's share of one partition."""

    def __init__(
        self, catalogue: Catalogue, runtime: Runtime, number: int, closing: asyncio.Event
    ) -> None:
        self._catalogue = catalogue
        self._runtime = runtime
        self._number = number
        super().__init__(open_store(runtime, NAME, number, PROFILES, LEDGERS, FOLLOWERS))
        self._intake = Intake(NAME, KINDS, runtime.clock, runtime.settings.bad_share)

    async def handle(self, slice_: Slice) -> None:
        """Decide each request and broadcast of the slice, or note what is said of a user."""
        turn = Turn(slice_, self._store, self._runtime.outputs())
        records = list(self._intake.read(slice_, turn.outputs))
        _load(turn, [key_of(v.event.tenant, v.user) for _, v in records if isinstance(v, Request)])
        for record, value in records:
            try:
                self._take(turn, value)
            except BadRecord as error:
                self._intake.set_aside(record, error, turn.outputs)
        await turn.finish()

    def _take(self, turn: Turn, value: msgspec.Struct) -> None:
        match value:
            case Request():
                self._decide(turn, value)
            case Broadcast():
                self._broadcast(turn, value)
            case Follow():
                edge = key_of(value.tenant, value.followee, value.follower)
                turn.view(FOLLOWERS).put(edge, True if value.following else None)
            case Contacts() | Preferences() | Presence():
                _note(turn, value)

    def _broadcast(self, turn: Turn, broadcast: Broadcast) -> None:
        event = broadcast.event
        edges = turn.view(FOLLOWERS).keys(key_of(event.tenant, event.actor))
        followers = [last_part(edge) for edge in edges]
        _load(turn, [key_of(event.tenant, follower) for follower in followers])
        for follower in followers:
            request = Request(
                type=broadcast.type,
                user=follower,
                event=event,
                origin=broadcast.origin,
                accepted_at=broadcast.accepted_at,
            )
            self._decide(turn, request)

    def _decide(self, turn: Turn, request: Request) -> None:
        spec = self._catalogue.types.get(request.type)
        if spec is None:
            raise BadRecord(Reason.UNKNOWN_TYPE, f"no notification type {request.type!r}")
        user = key_of(request.event.tenant, request.user)
        ledgers = turn.view(LEDGERS)
        profile = turn.view(PROFILES).get(user) or STRANGER
        ledger = ledgers.get(user) or NOTHING_YET
        now = self._runtime.clock.now()
        decision = decide(request, spec, profile, ledger, now)
        if decision.ledger is not ledger:
            ledgers.put(user, decision.ledger)
        self._write(turn, request, spec, decision, now)

    def _write(
        self, turn: Turn, request: Request, spec: NotificationType, decision: Decision, now: int
    ) -> None:
        add, here, user = turn.outputs.add, self._number, request.user.encode()
        for delivery in decision.deliveries:
            add(DELIVER[delivery.channel, delivery.priority], here, user, encode(delivery))
            add(DELIVERY_EVENTS, here, None, encode(reached(delivery, Stage.QUEUED, now)))
        for outcome in decision.suppressed:
            told = suppressed(request, spec, decision.notification_id, outcome, now)
            add(DELIVERY_EVENTS, here, None, encode(told))


def _load(turn: Turn, users: list[bytes]) -> None:
    if users:
        turn.view(PROFILES).load(users)
        turn.view(LEDGERS).load(users)


def _note(turn: Turn, value: Contacts | Preferences | Presence) -> None:
    profiles = turn.view(PROFILES)
    user = key_of(value.tenant, value.user)
    profile = profiles.get(user) or STRANGER
    match value:
        case Contacts():
            profiles.put(user, profile.with_contacts(value))
        case Preferences():
            profiles.put(user, profile.with_preferences(value))
        case Presence():
            profiles.put(user, profile.with_presence(value))
