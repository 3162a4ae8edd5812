"""What is stored of users and bears on a decision: read and written within one transaction."""

from collections.abc import Iterable, Mapping, Sequence

from policy.catalogue.catalogue import Catalogue
from policy.decision.decision import Decision, Row
from policy.decision.ending import is_over
from policy.dedupe import mark_key
from policy.identity import counted_id, user_digest
from policy.limits.daily_limit import Allowance
from policy.user.ledger import Held, Ledger
from policy.user.profile import Profile
from policy.user.state import Quota, UserState
from schemas.request import Request
from schemas.topics import SENT_KEPT_MS
from tables.erasure_filter import ErasureFilter
from tables.pending import CANCEL_KEYS, CANCELLED, HELD, QUOTAS, SPENT
from tables.spilled_marks import spill, spilled_mark
from tables.storage.table import key_of, parts_of
from tables.storage.transaction import Transaction
from tables.timers import TIMERS, Timer, Timers
from tables.users import LEDGERS, PROFILES, user_key

EMPTY_PROFILE, EMPTY_LEDGER = Profile(), Ledger()


class UserStates:
    """Profiles, ledgers, held requests and quotas of partition `here` of `partitions`.

    Nothing is durable before the transaction is. `addresses_read_to` (epoch ms) is up to when
    contacts are known, `prices` are those of a segment of an SMS by country.
    """

    def __init__(
        self,
        transaction: Transaction,
        timers: Timers,
        catalogue: Catalogue,
        here: int,
        partitions: int,
        addresses_read_to: int,
        prices: Mapping[str, float],
    ) -> None:
        self._prices = prices
        self._addresses_read_to = addresses_read_to
        self._transaction = transaction
        self._timers = timers
        self._catalogue = catalogue
        self._here = here
        self._partitions = partitions
        self._profiles = transaction.view(PROFILES)
        self._ledgers = transaction.view(LEDGERS)
        self._held = transaction.view(HELD)
        self._forgotten = ErasureFilter(transaction)

    @property
    def held_bytes_read(self) -> int:
        """Of held requests, in this transaction."""
        return self._held.bytes_read

    def load(self, users: Iterable[bytes]) -> None:
        """Read profiles and ledgers of these users in one go."""
        keys = dict.fromkeys(users)
        self._profiles.load(keys)
        self._ledgers.load(keys)

    def load_held(self, places: Iterable[bytes]) -> None:
        """Read what is held in these places, each a user's key and a row's, in one go."""
        self._held.load(places)

    def read_addresses_to(self, at: int) -> None:
        """Take contacts to be known up to `at` (epoch ms), if that is later than before."""
        self._addresses_read_to = max(self._addresses_read_to, at)

    def profile(self, user: bytes) -> Profile:
        """What is stored about the user."""
        return self._profiles.get(user) or EMPTY_PROFILE

    def ledger(self, user: bytes) -> Ledger:
        """What was decided for the user, and what is pending."""
        return self._ledgers.get(user) or EMPTY_LEDGER

    def of(
        self, tenant: str, user: bytes, cancel_key: str | None = None, ends: tuple[str, ...] = ()
    ) -> UserState:
        """Everything that bears on what is decided next for the user; `ends` are the keys of
        events that would end it."""
        whose = self._catalogue.tenant(tenant)
        quota, limit = None, whose.rate_limit
        if limit is not None:
            tally = self._transaction.view(QUOTAS).get(key_of(tenant))
            quota = Quota.of(limit, tally, self._here, self._partitions)
        allowance = None
        if whose.daily_limit is not None:
            spent = self._transaction.view(SPENT).get(key_of(tenant))
            place = self._here, self._partitions
            allowance = Allowance.of(whose.daily_limit, whose.zone, self._prices, spent, place)
        return UserState(
            self._profiles.get(user) or EMPTY_PROFILE,
            self._ledgers.get(user) or EMPTY_LEDGER,
            whose,
            quota,
            0 if cancel_key is None else self.cancelled_at(tenant, cancel_key),
            self._addresses_read_to,
            max(self.cancelled_at(tenant, key) for key in ends) if ends else 0,
            allowance,
        )

    def spilled(self, request: Request, until: int) -> bytes:
        """The mark of the request, if it is one of those for which its user's ledger has no room;
        these are there until `until` (epoch ms)."""
        event, user = request.event, request.user
        key = mark_key(counted_id(event, user, request.type))
        owner = user_digest(event.tenant, user)
        return spilled_mark(self._transaction, owner, key, request.accepted_at, until)

    def held(self, user: bytes, row: Row) -> Held | None:
        """What is held for the user in a row."""
        return self._held.get(user + key_of(*row))

    def kept(self, user: bytes, *row: str) -> Held:
        """What is held in a row that the user's ledger names."""
        held = self.held(user, row)
        if held is None:
            raise RuntimeError(f"nothing is held for {user!r} in {row}, though its ledger says so")
        return held

    def gathered(self, timer: Timer, user: bytes) -> list[tuple[Row, Held]]:
        """All that is held under the timer's name, in order."""
        keys = list(self._held.keys(user + key_of(timer.name)))
        self._held.load(keys)
        found = ((_row_of(key), self._held.get(key)) for key in keys)
        return [
            (row, held)
            for row, held in found
            if held is not None and self.is_live(timer.tenant, timer.user, held)
        ]

    def under(self, tenant: str, cancel_key: str, user: str) -> Sequence[Row]:
        """The rows of the user in which something is held under a cancel key."""
        places = self._transaction.view(CANCEL_KEYS).keys(key_of(tenant, cancel_key, user))
        return [tuple(parts_of(place)[3:]) for place in places]

    def is_live(self, tenant: str, user: str, held: Held) -> bool:
        """Whether it is the user's still: what was held before they were erased goes in steps."""
        return not self._forgotten.covers(tenant, user, held.request.accepted_at)

    def cancelled_at(self, tenant: str, cancel_key: str | None) -> int:
        """Until when (epoch ms) what has this key was cancelled; 0 if it never was."""
        if cancel_key is None:
            return 0
        return self._transaction.view(CANCELLED).get(key_of(tenant, cancel_key)) or 0

    def is_cancelled(self, tenant: str, held: Held) -> bool:
        """Whether something that it is held under was cancelled since."""
        at = max((self.cancelled_at(tenant, key) for key in held.cancel_keys()), default=0)
        return is_over(held.request, at)

    def cancel(self, tenant: str, cancel_key: str, at: int, now: int) -> None:
        """Remember until when (epoch ms) what has this key is cancelled."""
        place, tombstones = key_of(tenant, cancel_key), self._transaction.view(CANCELLED)
        tombstones.put(place, max(at, tombstones.get(place) or 0))
        # By the later of the clocks: one that rang too early would leave the key for good.
        due = max(now, at) + SENT_KEPT_MS
        self._timers.add(self._transaction.view(TIMERS), due, Timer(tenant, "", cancel_key))

    def forget_cancelled(self, tenant: str, cancel_key: str, now: int | None = None) -> None:
        """Forget the cancellation; where `now` is given, only if no topic can hold an event any
        more that it concerns, unless that came again."""
        place, tombstones = key_of(tenant, cancel_key), self._transaction.view(CANCELLED)
        if now is None or (tombstones.get(place) or 0) + SENT_KEPT_MS <= now:
            tombstones.put(place, None)

    def notification_under(self, tenant: str, cancel_key: str, user: str, row: Row) -> str:
        """The id of the notification that is held there."""
        place = key_of(tenant, cancel_key, user, *row)
        return self._transaction.view(CANCEL_KEYS).get(place) or ""

    def reschedule(self, tenant: str, user: str, before: Ledger, after: Ledger, now: int) -> None:
        """Have what is pending be due as the ledger has it now."""
        self._ledgers.put(user_key(tenant, user), after)
        self._timers.move(self._transaction.view(TIMERS), tenant, user, before, after, now)

    def store(
        self, tenant: str, user: str, key: bytes, state: UserState, decision: Decision, now: int
    ) -> None:
        """Store what a decision for the user, of this key, leaves behind at `now` (epoch ms)."""
        before, after = state.ledger, decision.ledger
        if after is before:
            return
        self._ledgers.put(key, after)
        if decision.spilled:
            spill(self._transaction, user_digest(tenant, user), decision.spilled)
        if after.waiting is not before.waiting or after.gathering is not before.gathering:
            self._timers.move(self._transaction.view(TIMERS), tenant, user, before, after, now)
            self._keep(tenant, user, key, decision)
        if decision.quota is not None and decision.quota is not state.quota:
            self._transaction.view(QUOTAS).put(key_of(tenant), decision.quota.tally)
        if decision.allowance is not None and decision.allowance is not state.allowance:
            self._transaction.view(SPENT).put(key_of(tenant), decision.allowance.spending)

    def _keep(self, tenant: str, user: str, key: bytes, decision: Decision) -> None:
        keys = self._transaction.view(CANCEL_KEYS)
        for row in decision.release:
            before = self.kept(key, *row)
            self._held.put(key + key_of(*row), None)
            for cancel_key in before.cancel_keys():
                keys.put(key_of(tenant, cancel_key, user, *row), None)
        for row, held in decision.keep:
            self._held.put(key + key_of(*row), held)
            for cancel_key in held.cancel_keys():
                keys.put(key_of(tenant, cancel_key, user, *row), decision.notification_id)


def _row_of(key: bytes) -> Row:
    """What a request is held as, without tenant and user."""
    return tuple(parts_of(key)[2:])
