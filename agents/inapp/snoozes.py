"""What a user has put off: out of the counts until its time, and told of when it comes back."""

from msgspec.structs import replace

from policy.inbox import EMPTY_COUNTS, Counts, ItemState
from schemas.inbox import InboxCounts
from tables.inbox import COUNTS, INBOX, SNOOZED, id_of_item, key_of_item
from tables.storage.table import parts_of
from tables.storage.transaction import Transaction
from tables.timers import TIMERS, Horizon, Timer, Timers
from tables.users import user_key

AT_ONCE = 100
"""Items that come back in one transaction."""


class Snoozes:
    """Which items are out of sight at `now` (epoch ms), as one transaction sees them.

    Stored counts have them in, as the last release reads those and knows of nothing else: what is
    away is taken off when they are told. `whose` is always the key of tenant and user.
    """

    def __init__(self, transaction: Transaction, now: int) -> None:
        self._inbox = transaction.view(INBOX)
        self._snoozed = transaction.view(SNOOZED)
        self._now = now

    def shown(self, whose: bytes, counts: Counts) -> InboxCounts:
        """Counts as they are told."""
        if not counts.snoozed:
            return InboxCounts(counts.unread, counts.unseen, counts.last)
        unread, unseen, away = counts.unread, counts.unseen, 0
        tenant, user = parts_of(whose)
        for name, until in self._of(whose).items():
            item = self._inbox.get(key_of_item(tenant, user, name))
            if until > self._now and item is not None and item.state.archived_at <= 0:
                unread -= item.state.is_unread
                unseen -= item.state.is_unseen
                away += 1
        return InboxCounts(unread, unseen, counts.last, away)

    def _of(self, whose: bytes) -> dict[str, int]:
        return self._snoozed.get(whose) or {}


class Snoozing(Snoozes):
    """Puts items off, and brings them back."""

    def __init__(self, transaction: Transaction, timers: Timers, now: int) -> None:
        super().__init__(transaction, now)
        self._counts = transaction.view(COUNTS)
        self._timers = timers
        self._index = transaction.view(TIMERS)

    def moved(self, whose: bytes, key: bytes, after: ItemState) -> None:
        """The item at `key` changed: put off until another time, or no more."""
        name, until = id_of_item(key), after.snoozed_until
        self._set(whose, name, until if until > self._now else 0)

    def forget(self, whose: bytes, key: bytes) -> int:
        """The item at `key` is not kept any longer; how many are put off then."""
        self._set(whose, id_of_item(key), 0)
        return len(self._of(whose))

    def forget_before(self, whose: bytes, end: bytes) -> None:
        """No item is kept whose place is before `end`; versions until 0.5.0 have left some here
        that had gone before."""
        tenant, user = parts_of(whose)
        for name in [*self._of(whose)]:
            if key_of_item(tenant, user, name) < end:
                self._set(whose, name, 0)

    def back(self) -> list[tuple[str, str]]:
        """Tenant and user of those to whom something comes back now, once each."""
        found: dict[tuple[str, str], None] = {}
        for place, timer in self._timers.due(Horizon(self._now, 0), AT_ONCE):
            self._index.put(place, None)
            whose = user_key(timer.tenant, timer.user)
            if self._of(whose).get(timer.name, self._now + 1) <= self._now:
                self._set(whose, timer.name, 0)
                found[timer.tenant, timer.user] = None
        return list(found)

    def _set(self, whose: bytes, name: str, until: int) -> None:
        kept = dict(self._of(whose))
        before = kept.pop(name, 0)
        if before == until:
            return
        tenant, user = parts_of(whose)
        timer = Timer(tenant, user, name)
        if before:
            self._timers.drop(self._index, before, timer)
        if until:
            kept[name] = until
            self._timers.add(self._index, until, timer)
        self._snoozed.put(whose, kept or None)
        counts = replace(self._counts.get(whose) or EMPTY_COUNTS, snoozed=len(kept))
        self._counts.put(whose, None if counts == EMPTY_COUNTS else counts)
