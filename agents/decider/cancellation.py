"""Cancellations: a key is remembered at once, and what is held under it goes in steps."""

from itertools import islice

from msgspec.structs import replace

from agents.decider.decisions import Decisions
from policy.time.timestamps import epoch_ms
from schemas.event import Cancellation
from tables.pending import CANCEL_KEYS, CANCELLING, Cancelling
from tables.storage.step import Step
from tables.storage.table import key_of
from tables.storage.transaction import Transaction

AT_ONCE = 50
"""Held requests that are read in one go."""


class Cancellations:
    """The cancellations that are under way in one partition."""

    def __init__(self) -> None:
        self.may_be_left = True
        """Until a look shows that nothing is."""

    def begin(
        self, transaction: Transaction, decisions: Decisions, said: Cancellation, step: Step
    ) -> None:
        """Remember the key for events that come later, and drop what is held under it.

        Beyond the step that is left to `go_on`; none of it is sent meanwhile.
        """
        decisions.remember_cancelled(said)
        at, place = epoch_ms(said.at), key_of(said.tenant, said.cancel_key)
        before = transaction.view(CANCELLING).get(place)
        # One that counts for later has what was passed over before looked at again.
        left = Cancelling(at) if before is None or before.at < at else before
        after = _go_on(transaction, decisions, place, left, step)
        if after is not before:
            transaction.view(CANCELLING).put(place, after)
        self.may_be_left = self.may_be_left or after is not None

    def go_on(self, transaction: Transaction, decisions: Decisions, step: Step) -> None:
        """Do the next part: of the same cancellation again if this one is lost in a crash."""
        rows = transaction.view(CANCELLING)
        place = next(rows.keys(b""), None)
        left = None if place is None else rows.get(place)
        self.may_be_left = place is not None
        if place is not None and left is not None:
            rows.put(place, _go_on(transaction, decisions, place, left, step))


def _go_on(
    transaction: Transaction, decisions: Decisions, place: bytes, left: Cancelling, step: Step
) -> Cancelling | None:
    """What is left of it after this transaction; None once all was looked at."""
    keys = transaction.view(CANCEL_KEYS)
    while not step.is_over:
        found = list(islice(keys.keys(place, left.done), AT_ONCE))
        step.count(len(found), decisions.drop_cancelled(found, left.at))
        if len(found) < AT_ONCE:
            return None
        left = replace(left, done=found[-1])
    return left
