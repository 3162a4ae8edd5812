"""The decisions of one transaction: read a user's state, ask the pure core, write its answer."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from agents.decider.user_states import UserStates
from agents.spans import decided, not_sent_span
from pipeline.monitoring.metrics import DAILY_LIMITED
from pipeline.tracing.export import is_tracing
from policy.catalogue.catalogue import Catalogue
from policy.decision.decide import decide
from policy.decision.decision import Decision, Outcome, Row
from policy.decision.deferral import cancel, give_up, hear
from policy.decision.ending import said_of
from policy.decision.replacing import replaces, waits_as
from policy.decision.rescheduling import may_reschedule, rescheduled
from policy.decision.resume import resume
from policy.delivery_events import assigned, not_sent, queued
from policy.digest.closing import close
from policy.identity import notification_id
from policy.notification_type import NotificationType, unknown_type
from policy.time.timestamps import epoch_ms
from policy.tracking.ticket import is_too_long, stub_of, ticket_of
from policy.user.breakdown import class_of
from policy.user.ledger import Held
from policy.user.state import UserState
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.errors import BadRecord
from schemas.event import Cancellation
from schemas.feedback import Feedback, Receipt
from schemas.request import Broadcast, Request
from schemas.topics import DELIVER, DELIVERY_EVENTS
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tables.storage.step import MOST_BYTES as MOST_READ
from tables.storage.table import key_of, parts_of
from tables.storage.transaction import TRANSACTION_BYTES, Transaction
from tables.tickets import keep_ticket
from tables.timers import TIMERS, Horizon, Timer, is_waiting, together
from tables.users import user_key

MOST_FIRED = 2000
"""Held requests that are worked on in one transaction, or few more: a digest is not split."""
READ_AT_ONCE = 50
"""Of what is due, read in one go."""
ORDERED_AT_ONCE = 200
"""Of what is due for one user at one moment, put in order in one go."""
_URGENCY = tuple(Priority)
_TICKETED = frozenset((Channel.EMAIL, Channel.SMS, Channel.CHAT))
"""Where tickets leave with the message, and so may have too little room."""
_DAILY_LIMIT = Reason.DAILY_LIMIT


class Decisions:
    """Decides in one transaction, at one moment (`now`, epoch ms), for users of partition `here`.

    Every decision is one sequence: read what is stored of the user, ask the pure core, write what
    goes out and what is reported, and store what it leaves behind.
    """

    def __init__(
        self,
        transaction: Transaction,
        states: UserStates,
        catalogue: Catalogue,
        now: int,
        here: int,
    ) -> None:
        self._transaction = transaction
        self._states = states
        self._catalogue = catalogue
        self._now = now
        self._here = here

    def load(self, users: Iterable[bytes]) -> None:
        """Read the state of these users in one go."""
        self._states.load(users)

    def decide(self, request: Request) -> None:
        """Decide a request; raises BadRecord."""
        spec, event = self.type_of(request), request.event
        ends = () if spec.until is None else spec.until.keys(request)
        user = user_key(event.tenant, request.user)
        state = self._states.of(event.tenant, user, event.cancel_key, ends)
        until = state.ledger.spilled_until
        if until > request.accepted_at and (marks := self._states.spilled(request, until)):
            state = replace(state, spilled=marks)
        decision = decide(request, spec, state, self._now)
        if decision.replay:
            return
        self._write(decision, state, request)
        if spec.goal is not None:
            for row in assigned(request, spec, decision, self._now):
                row = self._by_attribute(row, spec)
                self._transaction.outputs.add(DELIVERY_EVENTS, self._here, None, encode(row))
        self._states.store(event.tenant, request.user, user, state, decision, self._now)
        if spec.replaces and decision.ledger.newest is not state.ledger.newest:
            self._drop_replaced(request, spec)

    def refuse(self, request: Request, error: BadRecord) -> None:
        """Report that this request can't be decided."""
        event = request.event
        name = notification_id(event.tenant, event.id, request.user, request.type)
        self._report(request, name, Outcome(None, error.reason, error.detail))

    def hear(self, said: Feedback | Receipt) -> None:
        """A notification arrived, or the user did something with it."""
        stage = Stage(said.stage) if isinstance(said, Feedback) else Stage.DELIVERED
        user = user_key(said.tenant, said.user)
        state = self._states.of(said.tenant, user)
        own = f"{said.notification_id}."
        names = [name for name in state.ledger.waiting if name.startswith(own)]
        held = {name: self._states.kept(user, name) for name in names}
        decision = hear(said.notification_id, stage, state.ledger, held, self._type)
        self._carry_out(said.tenant, said.user, state, decision)

    @contextmanager
    def following(self, tenant: str, user: str) -> Iterator[None]:
        """Have what is pending for the user follow what the block changes in their profile."""
        key = user_key(tenant, user)
        before = self._states.profile(key)
        yield
        after = self._states.profile(key)
        if not may_reschedule(before, after):
            return
        ledger = self._states.ledger(key)
        if not (ledger.waiting or ledger.gathering):
            return
        whose = self._catalogue.tenant(tenant)
        moved = rescheduled(ledger, before, after, whose, self._now)
        if moved is not ledger:
            self._states.reschedule(tenant, user, ledger, moved, self._now)

    def remember_cancelled(self, cancellation: Cancellation) -> None:
        """Of what has this key, nothing that happened until then is sent from now on."""
        at = epoch_ms(cancellation.at)
        self._states.cancel(cancellation.tenant, cancellation.cancel_key, at, self._now)

    def drop_cancelled(self, places: Sequence[bytes], at: int) -> int:
        """Of what is held under these places of CANCEL_KEYS, drop what happened until `at`.

        Returns how many bytes that took.
        """
        before = self._states.held_bytes_read
        rows = [parts_of(place) for place in places]
        owners = [user_key(tenant, user) for tenant, _, user, *_ in rows]
        self.load(owners)
        self._states.load_held(
            owner + key_of(*row) for owner, (_, _, _, *row) in zip(owners, rows, strict=True)
        )
        for owner, (tenant, key, user, *row) in zip(owners, rows, strict=True):
            held = self._states.held(owner, tuple(row))
            if held is None or not self._states.is_live(tenant, user, held):
                continue  # what an erasure has yet to take
            if key not in held.cancel_keys():
                continue  # kept again by a version that does not know of such keys
            if epoch_ms(held.request.event.occurred_at) <= at:
                self._drop(tenant, user, tuple(row), held)
        return self._states.held_bytes_read - before

    def fire_all(self, due: Iterable[tuple[bytes, Timer]], horizon: Horizon) -> None:
        """Take timers off the table and fire them, until enough was done for one transaction."""
        done, read_to = 0, horizon.gathering
        # Reading may have stood still: then nothing waits for an address any more.
        self._states.read_addresses_to(horizon.addressing)
        for part in _parts(list(due)):
            self._load_due(part)
            for key, timer in sorted(part, key=lambda each: self._turn_of(each[1])):
                self._transaction.view(TIMERS).put(key, None)
                done += self.fire(timer, read_to)
                if done >= MOST_FIRED or self._transaction.outputs.size > TRANSACTION_BYTES:
                    return
            if self._states.held_bytes_read > MOST_READ:
                return

    def fire(self, timer: Timer, read_to: int) -> int:
        """Do what is pending under the timer's name, unless it is done or deferred further.

        What happened after `read_to` (epoch ms) may still be unread. Returns how many held
        requests that took.
        """
        if not timer.user:
            self._states.forget_cancelled(timer.tenant, timer.name, self._now)
            return 1
        user = user_key(timer.tenant, timer.user)
        ledger = self._states.ledger(user)
        waiting, gathering = ledger.waiting.get(timer.name), ledger.gathering.get(timer.name)
        if waiting is not None and waiting.due_at <= self._now:
            self._resume(timer, user)
        elif gathering is not None and 0 < gathering.due_at <= self._now:
            self._close(timer, user, read_to)
            return gathering.count
        return 1

    def give_up(self, timer: Timer, error: BadRecord) -> None:
        """Drop what is pending under the timer's name, and report for each part why."""
        if not timer.user:
            self._states.forget_cancelled(timer.tenant, timer.name)
            return
        user = user_key(timer.tenant, timer.user)
        held = self._states.gathered(timer, user)
        state = self._states.of(timer.tenant, user)
        decision = give_up(timer.name, held, state.ledger, error.detail)
        self._carry_out(timer.tenant, timer.user, state, decision)

    def type_of(self, asked: Request | Broadcast) -> NotificationType:
        """The notification type that is asked for; raises BadRecord where there is none."""
        spec = self._catalogue.type_of(asked.type, asked.event)
        if spec is None:
            raise BadRecord(Reason.UNKNOWN_TYPE, f"no notification type {asked.type!r}")
        return spec

    def _resume(self, timer: Timer, user: bytes) -> None:
        held = self._states.kept(user, timer.name)
        request = held.request
        state = self._states.of(timer.tenant, user, request.event.cancel_key, held.ends)
        decision = resume(timer.name, held, self._type(request), state, self._now)
        self._carry_out(timer.tenant, timer.user, state, decision, request)

    def _close(self, timer: Timer, user: bytes, read_to: int) -> None:
        items = []
        for row, held in self._states.gathered(timer, user):
            if self._states.is_cancelled(timer.tenant, held):
                self._drop(timer.tenant, timer.user, row, held)
            else:
                items.append((row, held))
        state = self._states.of(timer.tenant, user)
        decision = close(timer.name, items, self._type, state, self._now, read_to)
        self._carry_out(timer.tenant, timer.user, state, decision)

    def _drop(self, tenant: str, user: str, row: Row, held: Held, why: str = "") -> None:
        """Have what is held in a row, under a key that was cancelled, end so; or for `why`."""
        name = self._states.notification_under(tenant, held.cancel_keys()[0], user, row)
        state = self._states.of(tenant, user_key(tenant, user))
        has_key = self._states.cancelled_at(tenant, held.request.event.cancel_key) > 0
        detail = why or ("" if has_key else said_of(self._type(held.request).until))
        self._carry_out(tenant, user, state, cancel(row, held, state.ledger, name, detail))

    def _drop_replaced(self, request: Request, spec: NotificationType) -> None:
        """Have what waits of the same thing end, as what it says is no longer so; of what is
        gathered, that is seen when the digest is made."""
        tenant, user, name = request.event.tenant, request.user, replaces(request, spec)
        owner = user_key(tenant, user)
        rows = [row for row in self._states.under(tenant, waits_as(name), user) if len(row) == 1]
        self._states.load_held(owner + key_of(*row) for row in rows)
        for row in rows:
            held = self._states.held(owner, row)
            if held is None or not self._states.is_live(tenant, user, held):
                continue  # what an erasure has yet to take
            if held.request.origin != request.origin:
                self._drop(tenant, user, row, held, f"replaced by {request.event.id}")

    def _load_due(self, due: Sequence[tuple[bytes, Timer]]) -> None:
        users = [user_key(timer.tenant, timer.user) for _, timer in due]
        self.load(users)
        # What is gathered stands in many rows, and is read when it is closed.
        self._states.load_held(
            user + key_of(timer.name)
            for user, (_, timer) in zip(users, due, strict=True)
            if is_waiting(timer)
        )

    def _turn_of(self, timer: Timer) -> tuple[int, ...]:
        """When it is due, and of what is due at one moment: by priority, then as it happened."""
        user = user_key(timer.tenant, timer.user)
        ledger = self._states.ledger(user)
        waiting, gathering = ledger.waiting.get(timer.name), ledger.gathering.get(timer.name)
        if gathering is not None:
            return gathering.due_at, self._gathered_rank(gathering.type), gathering.first
        held = None if waiting is None else self._states.held(user, (timer.name,))
        if waiting is None or held is None:
            return (0,)
        request = held.request
        happened = epoch_ms(request.event.occurred_at), request.accepted_at, request.origin.offset
        return waiting.due_at, _rank(self._type(request)), *happened

    def _gathered_rank(self, name: str) -> int:
        # Of messages each event says how urgent it is, so several together are as most are.
        return _rank(self._catalogue.types.get(name) or unknown_type(name))

    def _type(self, request: Request) -> NotificationType:
        try:
            return self.type_of(request)
        except BadRecord:
            return unknown_type(request.type, self._catalogue.version)

    def _carry_out(
        self,
        tenant: str,
        user: str,
        state: UserState,
        decision: Decision,
        request: Request | None = None,
    ) -> None:
        self._write(decision, state, request)
        self._states.store(tenant, user, user_key(tenant, user), state, decision, self._now)

    def _write(self, decision: Decision, state: UserState, request: Request | None) -> None:
        """Write what goes out, and what is reported of a `request` that was decided by itself."""
        add, here = self._transaction.outputs.add, self._here
        # All are encoded first: where one can't be, nothing of the decision is written.
        deliveries = decision.deliveries
        if is_tracing() and any(each.trace for each in deliveries):
            deliveries = decided(decision, self._now)
        encoded = [encode(delivery) for delivery in deliveries]
        for delivery, value in zip(deliveries, encoded, strict=True):
            topic = DELIVER[delivery.channel, delivery.priority]
            add(topic, here, delivery.user.encode(), value)
            if delivery.channel in _TICKETED and is_too_long(delivery):
                keep_ticket(self._transaction, stub_of(delivery, here), ticket_of(delivery))
            event = queued(delivery, decision, state, self._now)
            add(DELIVERY_EVENTS, here, None, encode(event))
        for notice in decision.notices:
            self._report(notice.request, notice.notification_id, notice.outcome)
        if request is not None:
            for outcome in decision.outcomes:
                self._report(request, decision.notification_id, outcome)

    def _report(self, request: Request, notification: str, outcome: Outcome) -> None:
        if request.event.trace and is_tracing():
            not_sent_span(request, notification, outcome, self._now)
        if outcome.reason is _DAILY_LIMIT:
            DAILY_LIMITED.labels(request.event.tenant).inc()
        spec = self._type(request)
        event = not_sent(request, spec, notification, outcome, self._now)
        event = self._by_attribute(event, spec)
        self._transaction.outputs.add(DELIVERY_EVENTS, self._here, None, encode(event))

    def _by_attribute(self, event: DeliveryEvent, spec: NotificationType) -> DeliveryEvent:
        """With the class of its user by the attribute that the type names, if it names one."""
        if not spec.breakdown:
            return event
        attributes = self._states.profile(user_key(event.tenant, event.user)).attributes
        return replace(event, attribute=class_of(spec.breakdown, attributes, event.user))


def _rank(spec: NotificationType) -> int:
    return _URGENCY.index(spec.priority)


def _parts(due: list[tuple[bytes, Timer]]) -> Iterator[list[tuple[bytes, Timer]]]:
    """What is due in pieces to be read in one go, those of one user and moment together."""
    start = 0
    while start < len(due):
        end = min(start + READ_AT_ONCE, len(due))
        most = min(start + ORDERED_AT_ONCE, len(due))
        while end < most and together(due[end - 1]) == together(due[end]):
            end += 1
        yield due[start:end]
        start = end
