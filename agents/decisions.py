"""The decisions of one turn: each user's state is read, the pure core asked, its answer written."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from pipeline.errors import BadRecord
from pipeline.topics import DELIVER, DELIVERY_EVENTS, SENT_KEPT_MS
from policy.catalogue.catalogue import Catalogue
from policy.decide import decide
from policy.decision import Decision, Outcome, Row
from policy.delivery_events import assigned, not_sent, reached
from policy.digest_closing import close
from policy.ending import is_over, said_of
from policy.identity import notification_id
from policy.instants import epoch_ms
from policy.later import cancel, give_up, hear
from policy.notification_type import NotificationType, unknown_type
from policy.replacing import replaces, waits_as
from policy.rescheduling import may_reschedule, rescheduled
from policy.resume import resume
from policy.ticket import is_too_long, stub_of, ticket_of
from policy.user.ledger import Held, Ledger
from policy.user.profile import Profile
from policy.user.state import Quota, UserState
from schemas.cancellation import Cancellation
from schemas.encoding import encode
from schemas.feedback import Feedback
from schemas.receipt import Receipt
from schemas.request import Broadcast, Request
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tables.erased import Forgotten
from tables.held import CANCEL_KEYS, CANCELLED, HELD, QUOTAS
from tables.step import MOST_BYTES as MOST_READ
from tables.table import key_of, parts_of
from tables.tickets import keep_ticket
from tables.timers import TIMERS, Horizon, Timer, Timers, is_waiting, together
from tables.turn import TURN_BYTES, Turn
from tables.users import LEDGERS, PROFILES, user_key

STRANGER, NOTHING_YET = Profile(), Ledger()
MOST_FIRED = 2000
"""Held requests that are worked on in one turn, or few more: a digest is not split."""
READ_AT_ONCE = 50
"""Of what is due, read in one go."""
ORDERED_AT_ONCE = 200
"""Of what is due for one user at one moment, put in order in one go."""
_URGENCY = tuple(Priority)
_TICKETED = frozenset((Channel.EMAIL, Channel.SMS, Channel.CHAT))
"""Where tickets leave with the message, and so may have too little room."""
_QUEUED = Stage.QUEUED  # see schemas.vocabulary


class Decisions:
    """Decides within one turn, at one moment, for the users of partition `here` of `partitions`."""

    def __init__(
        self,
        turn: Turn,
        timers: Timers,
        catalogue: Catalogue,
        now: int,
        here: int,
        partitions: int,
        addresses_read_to: int,
    ) -> None:
        self._turn = turn
        self._timers = timers
        self._catalogue = catalogue
        self._now = now
        self._here = here
        self._partitions = partitions
        self._addresses_read_to = addresses_read_to
        self._profiles = turn.view(PROFILES)
        self._ledgers = turn.view(LEDGERS)
        self._held = turn.view(HELD)
        self._forgotten = Forgotten(turn)

    def load(self, users: Iterable[bytes]) -> None:
        """Read the state of these users in one go."""
        keys = dict.fromkeys(users)
        self._profiles.load(keys)
        self._ledgers.load(keys)

    def decide(self, request: Request) -> None:
        """Decide a request; raises BadRecord."""
        spec = self.type_of(request)
        event = request.event
        user = user_key(event.tenant, request.user)
        ends = () if spec.until is None else spec.until.keys(request)
        state = self._state(event.tenant, user, event.cancel_key, ends)
        decision = decide(request, spec, state, self._now)
        if not decision.replay:
            self._write(decision)
            for outcome in decision.outcomes:
                self._tell(request, decision.notification_id, outcome)
            if spec.goal is not None:
                for row in assigned(request, spec, decision, self._now):
                    self._turn.outputs.add(DELIVERY_EVENTS, self._here, None, encode(row))
            self._store(event.tenant, request.user, user, state, decision)
            if spec.replaces and decision.ledger.newest is not state.ledger.newest:
                self._drop_replaced(request, spec)

    def _drop_replaced(self, request: Request, spec: NotificationType) -> None:
        """Have what waits of the same thing end, as what it says is no longer so; of what is
        gathered, that is seen when the digest is made."""
        tenant, user, name = request.event.tenant, request.user, replaces(request, spec)
        owner, prefix = user_key(tenant, user), key_of(tenant, waits_as(name), user)
        found = (tuple(parts_of(place)[3:]) for place in self._turn.view(CANCEL_KEYS).keys(prefix))
        rows = [row for row in found if len(row) == 1]
        self._held.load(owner + key_of(*row) for row in rows)
        for row in rows:
            held = self._held.get(owner + key_of(*row))
            if held is None or not self._is_live(tenant, user, held):
                continue  # what an erasure has yet to take
            if held.request.origin != request.origin:
                self._drop(tenant, user, row, held, f"replaced by {request.event.id}")

    def type_of(self, asked: Request | Broadcast) -> NotificationType:
        """The notification type that is asked for; raises BadRecord where there is none."""
        spec = self._catalogue.type_of(asked.type, asked.event)
        if spec is None:
            raise BadRecord(Reason.UNKNOWN_TYPE, f"no notification type {asked.type!r}")
        return spec

    def refuse(self, request: Request, error: BadRecord) -> None:
        """Tell that this request can't be decided."""
        event = request.event
        name = notification_id(event.tenant, event.id, request.user, request.type)
        self._tell(request, name, Outcome(None, error.reason, error.detail))

    def fire(self, timer: Timer, read_to: int) -> int:
        """Do what waits under the timer's name, unless it waits no more or for later.

        What happened after `read_to` (epoch ms) may still be unread. Returns how many held
        requests that took.
        """
        if not timer.user:
            self._forget_cancellation(timer)
            return 1
        user = user_key(timer.tenant, timer.user)
        ledger = self._ledgers.get(user) or NOTHING_YET
        waiting, gathering = ledger.waiting.get(timer.name), ledger.gathering.get(timer.name)
        if waiting is not None and waiting.due_at <= self._now:
            self._resume(timer, user)
        elif gathering is not None and 0 < gathering.due_at <= self._now:
            self._close(timer, user, read_to)
            return gathering.count
        return 1

    def give_up(self, timer: Timer, error: BadRecord) -> None:
        """Drop what waits under the timer's name, and tell of each part why it never went out."""
        if not timer.user:
            self._turn.view(CANCELLED).put(key_of(timer.tenant, timer.name), None)
            return
        user = user_key(timer.tenant, timer.user)
        held = self._gathered(timer, user)
        state = self._state(timer.tenant, user)
        decision = give_up(timer.name, held, state.ledger, error.detail)
        self._write(decision)
        self._store(timer.tenant, timer.user, user, state, decision)

    def fire_all(self, due: Iterable[tuple[bytes, Timer]], horizon: Horizon) -> None:
        """Take timers off the table and fire them, until enough was done for one turn."""
        done, read_to = 0, horizon.gathering
        # Reading may have stood still: then nothing waits for an address any more.
        self._addresses_read_to = max(self._addresses_read_to, horizon.addressing)
        for part in _parts(list(due)):
            self._load_due(part)
            for key, timer in sorted(part, key=lambda each: self._turn_of(each[1])):
                self._turn.view(TIMERS).put(key, None)
                done += self.fire(timer, read_to)
                if done >= MOST_FIRED or self._turn.outputs.size > TURN_BYTES:
                    return
            if self._held.bytes_read > MOST_READ:
                return

    def _load_due(self, due: Sequence[tuple[bytes, Timer]]) -> None:
        users = [user_key(timer.tenant, timer.user) for _, timer in due]
        self.load(users)
        # What is gathered stands in many rows, and is read when it is closed.
        self._held.load(
            user + key_of(timer.name)
            for user, (_, timer) in zip(users, due, strict=True)
            if is_waiting(timer)
        )

    def _turn_of(self, timer: Timer) -> tuple[int, ...]:
        """When it is due, and of what is due at one moment: by priority, then as it happened."""
        user = user_key(timer.tenant, timer.user)
        ledger = self._ledgers.get(user) or NOTHING_YET
        waiting, gathering = ledger.waiting.get(timer.name), ledger.gathering.get(timer.name)
        if gathering is not None:
            return gathering.due_at, self._gathered_rank(gathering.type), gathering.first
        held = None if waiting is None else self._held.get(user + key_of(timer.name))
        if waiting is None or held is None:
            return (0,)
        request = held.request
        happened = epoch_ms(request.event.occurred_at), request.accepted_at, request.origin.offset
        return waiting.due_at, _rank(self._type(request)), *happened

    def _gathered_rank(self, name: str) -> int:
        # Of messages each event says how urgent it is, so several together are as most are.
        return _rank(self._catalogue.types.get(name) or unknown_type(name))

    def hear(self, said: Feedback | Receipt) -> None:
        """A notification arrived, or the user did something with it."""
        stage = Stage(said.stage) if isinstance(said, Feedback) else Stage.DELIVERED
        user = user_key(said.tenant, said.user)
        state = self._state(said.tenant, user)
        own = f"{said.notification_id}."
        names = [name for name in state.ledger.waiting if name.startswith(own)]
        held = {name: self._kept(user, name) for name in names}
        decision = hear(said.notification_id, stage, state.ledger, held, self._type)
        self._write(decision)
        self._store(said.tenant, said.user, user, state, decision)

    @contextmanager
    def following(self, tenant: str, user: str) -> Iterator[None]:
        """Have what waits for the user follow what the block changes in their profile."""
        key = user_key(tenant, user)
        before = self._profiles.get(key) or STRANGER
        yield
        after = self._profiles.get(key) or STRANGER
        ledger = self._ledgers.get(key) if may_reschedule(before, after) else None
        if ledger is None or not (ledger.waiting or ledger.gathering):
            return
        whose = self._catalogue.tenant(tenant)
        moved = rescheduled(ledger, before, after, whose, self._now)
        if moved is not ledger:
            self._ledgers.put(key, moved)
            self._timers.move(self._turn.view(TIMERS), tenant, user, ledger, moved)

    def remember_cancelled(self, cancellation: Cancellation) -> None:
        """Of what has this key, nothing that happened until then is sent from now on."""
        at = epoch_ms(cancellation.at)
        place = key_of(cancellation.tenant, cancellation.cancel_key)
        tombstones = self._turn.view(CANCELLED)
        tombstones.put(place, max(at, tombstones.get(place) or 0))
        timer = Timer(cancellation.tenant, "", cancellation.cancel_key)
        # By the later of the clocks: one that rang too early would leave the key for good.
        self._timers.add(self._turn.view(TIMERS), max(self._now, at) + SENT_KEPT_MS, timer)

    def drop_cancelled(self, places: Sequence[bytes], at: int) -> int:
        """Of what is held under these places of CANCEL_KEYS, drop what happened until `at`.

        Returns how many bytes that took.
        """
        before = self._held.bytes_read
        rows = [parts_of(place) for place in places]
        owners = [user_key(tenant, user) for tenant, _, user, *_ in rows]
        self.load(owners)
        self._held.load(
            owner + key_of(*row) for owner, (_, _, _, *row) in zip(owners, rows, strict=True)
        )
        for owner, (tenant, key, user, *row) in zip(owners, rows, strict=True):
            held = self._held.get(owner + key_of(*row))
            if held is None or not self._is_live(tenant, user, held):
                continue  # what an erasure has yet to take
            if key not in held.cancel_keys():
                continue  # kept again by a version that does not know of such keys
            if epoch_ms(held.request.event.occurred_at) <= at:
                self._drop(tenant, user, tuple(row), held)
        return self._held.bytes_read - before

    def _drop(self, tenant: str, user: str, row: Row, held: Held, why: str = "") -> None:
        """Have what is held in a row, under a key that was cancelled, end so; or for `why`."""
        place = key_of(tenant, held.cancel_keys()[0], user, *row)
        name = self._turn.view(CANCEL_KEYS).get(place) or ""
        owner = user_key(tenant, user)
        state = self._state(tenant, owner)
        has_key = self._cancelled_at(tenant, held.request.event.cancel_key) > 0
        detail = why or ("" if has_key else said_of(self._type(held.request).until))
        decision = cancel(row, held, state.ledger, name, detail)
        self._write(decision)
        self._store(tenant, user, owner, state, decision)

    def _is_live(self, tenant: str, user: str, held: Held) -> bool:
        """Whether it is the user's still: what was held before they were erased goes in steps."""
        return not self._forgotten.covers(tenant, user, held.request.accepted_at)

    def _forget_cancellation(self, timer: Timer) -> None:
        # By now no topic holds an event any more that it could concern, unless it came again.
        place, tombstones = key_of(timer.tenant, timer.name), self._turn.view(CANCELLED)
        if (tombstones.get(place) or 0) + SENT_KEPT_MS <= self._now:
            tombstones.put(place, None)

    def _resume(self, timer: Timer, user: bytes) -> None:
        held = self._kept(user, timer.name)
        request = held.request
        state = self._state(timer.tenant, user, request.event.cancel_key, held.ends)
        decision = resume(timer.name, held, self._type(request), state, self._now)
        self._write(decision)
        for outcome in decision.outcomes:
            self._tell(request, decision.notification_id, outcome)
        self._store(timer.tenant, timer.user, user, state, decision)

    def _close(self, timer: Timer, user: bytes, read_to: int) -> None:
        items = []
        for row, held in self._gathered(timer, user):
            if self._is_cancelled(timer.tenant, held):
                self._drop(timer.tenant, timer.user, row, held)
            else:
                items.append((row, held))
        state = self._state(timer.tenant, user)
        decision = close(timer.name, items, self._type, state, self._now, read_to)
        self._write(decision)
        self._store(timer.tenant, timer.user, user, state, decision)

    def _gathered(self, timer: Timer, user: bytes) -> list[tuple[Row, Held]]:
        """All that is held under the timer's name, in order."""
        keys = list(self._held.keys(user + key_of(timer.name)))
        self._held.load(keys)
        found = ((_row_of(key), self._held.get(key)) for key in keys)
        return [
            (row, held)
            for row, held in found
            if held is not None and self._is_live(timer.tenant, timer.user, held)
        ]

    def _is_cancelled(self, tenant: str, held: Held) -> bool:
        at = max((self._cancelled_at(tenant, key) for key in held.cancel_keys()), default=0)
        return is_over(held.request, at)

    def _type(self, request: Request) -> NotificationType:
        try:
            return self.type_of(request)
        except BadRecord:
            return unknown_type(request.type, self._catalogue.version)

    def _kept(self, user: bytes, *row: str) -> Held:
        held = self._held.get(user + key_of(*row))
        if held is None:
            raise RuntimeError(f"nothing is held for {user!r} in {row}, though its ledger says so")
        return held

    def _state(
        self,
        tenant_name: str,
        user: bytes,
        cancel_key: str | None = None,
        ends: tuple[str, ...] = (),
    ) -> UserState:
        tenant = self._catalogue.tenant(tenant_name)
        cancelled_at = self._cancelled_at(tenant_name, cancel_key)
        quota, limit = None, tenant.rate_limit
        if limit is not None:
            tally = self._turn.view(QUOTAS).get(key_of(tenant_name))
            quota = Quota.of(limit, tally, self._here, self._partitions)
        return UserState(
            self._profiles.get(user) or STRANGER,
            self._ledgers.get(user) or NOTHING_YET,
            tenant,
            quota,
            cancelled_at,
            self._addresses_read_to,
            max(self._cancelled_at(tenant_name, key) for key in ends) if ends else 0,
        )

    def _cancelled_at(self, tenant: str, cancel_key: str | None) -> int:
        if cancel_key is None:
            return 0
        return self._turn.view(CANCELLED).get(key_of(tenant, cancel_key)) or 0

    def _store(
        self, tenant: str, user: str, key: bytes, state: UserState, decision: Decision
    ) -> None:
        before, after = state.ledger, decision.ledger
        if after is before:
            return
        self._ledgers.put(key, after)
        if after.waiting is not before.waiting or after.gathering is not before.gathering:
            self._timers.move(self._turn.view(TIMERS), tenant, user, before, after)
            self._keep(tenant, user, key, decision)
        if decision.quota is not None and decision.quota is not state.quota:
            self._turn.view(QUOTAS).put(key_of(tenant), decision.quota.tally)

    def _keep(self, tenant: str, user: str, key: bytes, decision: Decision) -> None:
        keys = self._turn.view(CANCEL_KEYS)
        for row in decision.release:
            before = self._kept(key, *row)
            self._held.put(key + key_of(*row), None)
            for cancel_key in before.cancel_keys():
                keys.put(key_of(tenant, cancel_key, user, *row), None)
        for row, held in decision.keep:
            self._held.put(key + key_of(*row), held)
            for cancel_key in held.cancel_keys():
                keys.put(key_of(tenant, cancel_key, user, *row), decision.notification_id)

    def _write(self, decision: Decision) -> None:
        add, here = self._turn.outputs.add, self._here
        # All are encoded first: where one can't be, nothing of the decision is written.
        encoded = [encode(delivery) for delivery in decision.deliveries]
        for delivery, value in zip(decision.deliveries, encoded, strict=True):
            topic = DELIVER[delivery.channel, delivery.priority]
            add(topic, here, delivery.user.encode(), value)
            if delivery.channel in _TICKETED and is_too_long(delivery):
                keep_ticket(self._turn, stub_of(delivery, here), ticket_of(delivery))
            add(DELIVERY_EVENTS, here, None, encode(reached(delivery, _QUEUED, self._now)))
        for notice in decision.notices:
            self._tell(notice.request, notice.notification_id, notice.outcome)

    def _tell(self, request: Request, notification: str, outcome: Outcome) -> None:
        told = not_sent(request, self._type(request), notification, outcome, self._now)
        self._turn.outputs.add(DELIVERY_EVENTS, self._here, None, encode(told))


def _rank(spec: NotificationType) -> int:
    return _URGENCY.index(spec.priority)


def _row_of(key: bytes) -> Row:
    """What a request is held as, without tenant and user."""
    return tuple(parts_of(key)[2:])


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
