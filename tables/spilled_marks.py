"""Deduplication marks for which a user's ledger has no room, until their window ends."""

from itertools import islice

from msgspec.structs import replace

from policy.dedupe import NO_MARKS, Spilled, happened_at
from schemas.topics import DAY_MS
from tables.erasure_filter import Erasing
from tables.storage.step import Step
from tables.storage.table import Table, day_key
from tables.storage.transaction import Transaction

SPILLED: Table[bytes] = Table(b"D", bytes)
"""Entries as a ledger has them, by the day on which their window ends, a digest of tenant and user,
and the mark's key: a day can be forgotten at once, as in `tables.sent`, but in steps, since this
changelog forgets nothing by itself."""
FORGETTING = Table(b"E", Erasing)
"""Erased users of whom more was spilled than is dropped in one go, by that digest."""
AT_ONCE = 50
"""Rows that are read in one go."""
MOST_DAYS = 40
"""In which a mark is looked for: no window is longer than 31."""
_DAY_BYTES = len(day_key(0))
_LAST = b"\xff" * 24
"""Behind all keys of a day."""


def spill(transaction: Transaction, owner: bytes, spilled: tuple[Spilled, ...]) -> None:
    """Keep these marks of a user (a digest of tenant and user)."""
    view = transaction.view(SPILLED)
    for until, entry in spilled:
        # An entry begins with its key.
        view.put(day_key(until // DAY_MS) + owner + entry[:8], entry)


def spilled_mark(
    transaction: Transaction, owner: bytes, key: bytes, since: int, until: int
) -> bytes:
    """The entry under a mark's key whose window ends between these times (epoch ms), last of all;
    NO_MARKS where there is none."""
    last = until // DAY_MS
    first = max(since // DAY_MS, last - MOST_DAYS)
    view = transaction.view(SPILLED)
    places = [day_key(day) + owner + key for day in range(last, first - 1, -1)]
    view.load(places)
    return next((found for place in places if (found := view.get(place))), NO_MARKS)


def is_mark_of(key: bytes, owner: bytes, marks: set[bytes]) -> bool:
    """Whether a key, with its table's prefix, is that of one of these marks of a user."""
    place = len(SPILLED.prefix) + _DAY_BYTES
    own, mark = key[place : place + len(owner)], key[place + len(owner) :]
    return key.startswith(SPILLED.prefix) and own == owner and mark in marks


def drop_ended(transaction: Transaction, at: int, after: bytes, step: Step) -> bytes | None:
    """Drop, behind `after`, what ended the day before that of `at` (epoch ms) or earlier.

    Returns behind what to go on after the step; None when all is gone.
    """
    view, end = transaction.view(SPILLED), day_key(max(0, at // DAY_MS - 1))
    while not step.is_over:
        rows = [key for key in islice(view.keys(b"", after), AT_ONCE) if key < end]
        for row in rows:
            view.put(row, None)
        step.count(len(rows))
        if len(rows) < AT_ONCE:
            return None
        after = rows[-1]
    return after


def begin_forgetting(transaction: Transaction, owner: bytes, at: int, step: Step) -> None:
    """Drop the marks that an erased user left until `at` (epoch ms); what is beyond the step is for
    `go_on_forgetting`."""
    view = transaction.view(FORGETTING)
    left, before = _forget(transaction, owner, Erasing(at), step), view.get(owner)
    if left is not None or before is not None:
        view.put(owner, left)


def go_on_forgetting(transaction: Transaction, step: Step) -> bool:
    """Do the next part for users who were erased; whether there is nobody left."""
    view = transaction.view(FORGETTING)
    while not step.is_over:
        owner = next(view.keys(b""), None)
        left = None if owner is None else view.get(owner)
        if owner is None or left is None:
            return True
        view.put(owner, _forget(transaction, owner, left, step))
    return False


def _forget(transaction: Transaction, owner: bytes, left: Erasing, step: Step) -> Erasing | None:
    """What is left after the step, of the user's in all days; None where nothing is."""
    view, after = transaction.view(SPILLED), left.done
    while not step.is_over:
        step.count(1)
        following = next(view.keys(b"", after), None)
        if following is None:
            return None
        day = following[:_DAY_BYTES]
        own = after if after.startswith(day + owner) else day + owner
        rows = list(islice(view.keys(day + owner, own), AT_ONCE))
        entries = [(row, view.get(row)) for row in rows]
        for row, entry in entries:
            if entry is not None and happened_at(entry) <= left.at:  # else of a user who came back
                view.put(row, None)
        step.count(len(rows))
        after = rows[-1] if len(rows) == AT_ONCE else day + _LAST
    return replace(left, done=after)


class SpilledMarks:
    """What is to be dropped of them in one partition, in steps.

    What has ended is told by what was decided and not by the clock: while requests are read late, a
    repeat may still come that the clock has no mark for any more. So a mark is kept for a day
    longer than its window.
    """

    def __init__(self) -> None:
        self.may_be_left = True
        """Until a look shows that nothing is."""
        self._decided_to = 0
        self._after: bytes | None = b""

    def note_decided(self, accepted_at: int) -> None:
        """Requests that were accepted at that time (epoch ms) were decided."""
        if accepted_at // DAY_MS > self._decided_to // DAY_MS:
            self._decided_to, self._after, self.may_be_left = accepted_at, b"", True

    def go_on(self, transaction: Transaction) -> None:
        """Do the next part."""
        step = Step()
        if not go_on_forgetting(transaction, step):
            return
        if self._after is not None:
            self._after = drop_ended(transaction, self._decided_to, self._after, step)
        self.may_be_left = self._after is not None
