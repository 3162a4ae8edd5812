"""The decider: is this user told, where and when, and if not, why not.

Keyed by user: requests and broadcasts meet preferences, contacts, presence and ledgers here, and
what was put off comes back when it is due.
"""

import asyncio

import msgspec

from agents.audience import resume_fan_out, start_fan_out
from agents.decisions import Decisions
from agents.outlook import Outlook
from agents.people import note
from agents.state import Stateful, open_store
from pipeline.catalogue_folder import Catalogues
from pipeline.errors import BadRecord
from pipeline.intake import Intake
from pipeline.lanes import ReadTo
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.slots import WEIGHTS
from pipeline.topics import (
    BROADCASTS,
    CANCELLED,
    CONTACTS,
    FEEDBACK,
    FOLLOWING,
    PREFERENCES,
    PRESENCE,
    REQUESTS,
    STOPS,
    SUBSCRIPTIONS,
    SUPPRESSIONS,
    Topic,
)
from schemas.cancellation import Cancellation
from schemas.feedback import Feedback
from schemas.follow import Follow
from schemas.profile import Contacts, Preferences, Presence
from schemas.request import Broadcast, Request
from schemas.subscription import Subscription
from schemas.suppression import Stop, Suppression
from schemas.vocabulary import Priority
from tables import held
from tables.followers import FOLLOWERS, SEGMENTS
from tables.phones import PHONES, STOPPED
from tables.store import Store
from tables.timers import TIMERS, Timers
from tables.turn import Turn
from tables.unsent import UNSENT, send_unsent
from tables.users import LEDGERS, PROFILES, user_key

NAME = "decider"
KINDS: dict[Topic, type[msgspec.Struct]] = {
    CONTACTS: Contacts,
    PREFERENCES: Preferences,
    PRESENCE: Presence,
    FOLLOWING: Follow,
    CANCELLED: Cancellation,
    FEEDBACK: Feedback,
    STOPS: Stop,
    SUBSCRIPTIONS: Subscription,
    SUPPRESSIONS: Suppression,
    REQUESTS[Priority.CRITICAL]: Request,
    BROADCASTS[Priority.CRITICAL]: Broadcast,
    **{REQUESTS[priority]: Request for priority in Priority},
    **{BROADCASTS[priority]: Broadcast for priority in Priority},
}
"""In this order: what is known comes first, then what is critical; the rest shares by weight."""
SHARES = {
    topics[priority].name: weight
    for topics in (REQUESTS, BROADCASTS)
    for priority, weight in WEIGHTS.items()
}
TABLES = (
    PROFILES,
    LEDGERS,
    FOLLOWERS,
    SEGMENTS,
    PHONES,
    STOPPED,
    TIMERS,
    held.HELD,
    held.CANCEL_KEYS,
    held.CANCELLED,
    held.QUOTAS,
    held.FAN_OUTS,
    UNSENT,
)
BROADCAST_SLICE = 16
"""Broadcasts in one slice; each may stand for a thousand decisions."""
TIMERS_AT_ONCE = 1000
"""Timers of each kind that fire in one turn."""
PROMPT = tuple(topic.name for topic in KINDS if topic.name not in SHARES)
GATHERED = tuple(topic for topic in SHARES if not topic.endswith(Priority.BULK))
"""Topics that may hold an event of a digest that is due. Not those of tenants over their share:
their backlog must not delay others, and what stands in it counts as late."""
BEHIND = 0.05
"""Seconds until a timer that waits for that is looked at again."""


def decider(catalogues: Catalogues, runtime: Runtime) -> Role:
    """The role `decider`."""

    def open_handler(number: int, closing: asyncio.Event) -> Decider:
        return Decider(catalogues, runtime, number, open_store(runtime, NAME, number, *TABLES))

    return Role(
        name=NAME,
        topics=tuple(topic.name for topic in KINDS),
        open_handler=open_handler,
        slice_records={topic.name: BROADCAST_SLICE for topic in BROADCASTS.values()},
        weights=SHARES,
    )


class Decider(Stateful):
    """The decider's share of one partition."""

    def __init__(self, catalogues: Catalogues, runtime: Runtime, number: int, store: Store) -> None:
        super().__init__(store)
        self._catalogues = catalogues
        self._runtime = runtime
        self._number = number
        self._timers = Timers(store)
        # Both until a look shows that nothing is left.
        self._is_fanning_out = True
        self._has_unsent = True
        self._outlook = Outlook(PROMPT, GATHERED)
        self._intake = Intake(NAME, KINDS, runtime.clock, runtime.settings.bad_share)

    async def handle(self, slice_: Slice) -> None:
        """Decide each request and broadcast of the slice, or note what is said of a user."""
        turn = Turn(slice_, self._store, self._runtime.outputs())
        records = list(self._intake.read(slice_, turn.outputs))
        asked = {value.type for _, value in records if isinstance(value, Request | Broadcast)}
        if not asked <= self._catalogues.current.types.keys():
            # The router may have seen a type that is newer than our last look at the files.
            await self._catalogues.refresh()
        decisions = self._decisions(turn)
        decisions.load(
            user_key(v.event.tenant, v.user) for _, v in records if isinstance(v, Request)
        )
        for record, value in records:
            try:
                self._take(turn, decisions, value)
            except BadRecord as error:
                self._intake.set_aside(record, error, turn.outputs)
        await turn.finish()

    def _take(self, turn: Turn, decisions: Decisions, value: msgspec.Struct) -> None:
        match value:
            case Request():
                decisions.decide(value)
            case Broadcast():
                self._is_fanning_out = True
                start_fan_out(turn, decisions, value)
            case Feedback():
                decisions.hear(value)
            case Cancellation():
                decisions.cancel(value)
            case Contacts() | Preferences() | Presence() | Follow():
                note(turn, value)
            case Subscription() | Suppression() | Stop():
                note(turn, value)

    async def wake(self, read_to: ReadTo) -> float | None:
        """Go on with broadcasts that are under way, and fire the timers that are due.

        After an outage, what was taken by Kafka before a timer was due is handled before it.
        """
        if self._has_unsent:
            await send_unsent(self._store, self._runtime.outputs())
            self._has_unsent = False
        if self._is_fanning_out:
            turn = Turn(None, self._store, self._runtime.outputs())
            self._is_fanning_out = resume_fan_out(turn, self._decisions(turn))
            await turn.finish()
        now = self._runtime.clock.now()
        horizon = self._outlook.horizon(now, read_to)
        due = self._timers.due(horizon, TIMERS_AT_ONCE)
        if due:
            turn = Turn(None, self._store, self._runtime.outputs())
            self._decisions(turn).fire_all(due, horizon.gathering)
            await turn.finish_by_clock()
        following = self._timers.next_due()
        if self._is_fanning_out:
            return 0
        if following is None:
            return None
        return max(0 if due else BEHIND, (following - now) / 1000)

    def _decisions(self, turn: Turn) -> Decisions:
        return Decisions(
            turn,
            self._timers,
            self._catalogues.current,
            self._runtime.clock.now(),
            self._number,
            self._runtime.settings.partitions,
        )
