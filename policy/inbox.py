"""What a user did with an item of their inbox, and how many items that leaves."""

from msgspec import Struct
from msgspec.structs import replace

from policy.time.timestamps import epoch_ms
from schemas.inbox import InboxChange


class ItemState(Struct, frozen=True, array_like=True, gc=False):
    """Epoch milliseconds, 0 for never. What was undone since is negative: unread, unarchived.

    `opened_at` is the earliest time at which it was read, whatever was undone since.
    """

    seen_at: int = 0
    read_at: int = 0
    archived_at: int = 0
    snoozed_at: int = 0
    snoozed_until: int = 0
    opened_at: int = 0

    @property
    def was_opened(self) -> bool:
        """Whether it was ever read; rows from before `opened_at` say so while they are read."""
        return self.opened_at > 0 or self.read_at > 0

    @property
    def is_unread(self) -> bool:
        """Whether it counts as unread."""
        return self.read_at <= 0 >= self.archived_at

    @property
    def is_unseen(self) -> bool:
        """Whether it counts as unseen."""
        return not self.seen_at and self.archived_at <= 0


class Counts(Struct, frozen=True, array_like=True, gc=False):
    """Of one user's inbox: all items, and those unread and unseen, without what is archived.

    `last` is the number of the item that came last; the first one's is 1. None that ever came was
    accepted after `newest` (epoch ms); 0 where that is not known, as in rows of before. What is
    `snoozed` is counted there and in the others: whoever tells the counts takes off what is away.
    """

    items: int = 0
    unread: int = 0
    unseen: int = 0
    last: int = 0
    newest: int = 0
    snoozed: int = 0

    def came(self, accepted_at: int) -> "Counts":
        """The counts once another item came, which nobody has seen."""
        is_known = self.newest or not self.last
        return Counts(
            self.items + 1,
            self.unread + 1,
            self.unseen + 1,
            self.last + 1,
            max(self.newest, accepted_at) if is_known else 0,
            self.snoozed,
        )

    def may_hold(self, accepted_at: int) -> bool:
        """Whether an item that was accepted then may have come; cheaper than to look for it."""
        return accepted_at <= self.newest if self.newest else self.last > 0

    def moved(self, before: ItemState, after: ItemState | None) -> "Counts":
        """The counts once an item changed, or went (None after)."""
        items, unread, unseen = self.items - 1, self.unread, self.unseen
        unread -= before.is_unread
        unseen -= before.is_unseen
        if after is not None:
            items += 1
            unread += after.is_unread
            unseen += after.is_unseen
        return Counts(items, unread, unseen, self.last, self.newest, self.snoozed)


EMPTY_COUNTS = Counts()
"""Of an inbox to which nothing ever came."""


def changed(state: ItemState, change: InboxChange) -> ItemState:
    """The state after a change; the same one where that says nothing new."""
    at = max(1, epoch_ms(change.at))
    match change.kind:
        case "seen":
            return _seen(state, at)
        case "read":
            after = _opened(_seen(state, at), at)
            return replace(after, read_at=at) if at > abs(state.read_at) else after
        case "unread":
            return replace(state, read_at=-at) if at > abs(state.read_at) else state
        case "archived":
            return replace(state, archived_at=at) if at > abs(state.archived_at) else state
        case "unarchived":
            return replace(state, archived_at=-at) if at > abs(state.archived_at) else state
        case "snoozed":
            if at <= state.snoozed_at:
                return state
            until = 0 if change.until is None else epoch_ms(change.until)
            return replace(state, snoozed_at=at, snoozed_until=until)


def _seen(state: ItemState, at: int) -> ItemState:
    if state.seen_at and state.seen_at <= at:
        return state
    return replace(state, seen_at=at)


def _opened(state: ItemState, at: int) -> ItemState:
    if state.opened_at and state.opened_at <= at:
        return state
    return replace(state, opened_at=at)
