"""Dropping what is pending for an erased user: half a million requests at most, in steps."""

from itertools import islice

from msgspec.structs import replace

from tables.erasure_filter import ERASING, Erasing
from tables.pending import CANCEL_KEYS, HELD
from tables.storage.step import Step
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.users import user_key

HELD_ROWS = "held"
"""In ERASING, beside the directions of edges."""
AT_ONCE = 50
"""Rows that are read in one go."""


def begin_dropping_held(
    transaction: Transaction, tenant: str, user: str, at: int, step: Step
) -> None:
    """Drop what is there, and leave to later turns what is beyond the step and Kafka took until
    `at` (epoch ms).

    Nobody finds what is left: no ledger names it, and what looks at all rows of a name passes over
    those that are older than the erasure.
    """
    view, key = transaction.view(ERASING), key_of(tenant, user, HELD_ROWS)
    before = view.get(key)
    # What another broker took is younger by that one's clock, perhaps, and waits no more either.
    left = drop_held(transaction, tenant, user, Erasing(at), step, is_nobody_back=True)
    if left is not None or before is not None:
        view.put(key, left)


def drop_held(
    transaction: Transaction,
    tenant: str,
    user: str,
    left: Erasing,
    step: Step,
    *,
    is_nobody_back: bool = False,
) -> Erasing | None:
    """Look at the next rows that wait for the user; what is left then, None for nothing.

    Those that Kafka took after the erasure stay, unless nobody can be back yet.
    """
    person, held, keys = (
        user_key(tenant, user),
        transaction.view(HELD),
        transaction.view(CANCEL_KEYS),
    )
    while not step.is_over:
        before = held.bytes_read
        rows = list(islice(held.keys(person, left.done), AT_ONCE))
        held.load(rows)
        for row in rows:
            kept = held.get(row)
            if kept is None or (kept.request.accepted_at > left.at and not is_nobody_back):
                continue  # of a user who came back
            held.put(row, None)
            for key in kept.cancel_keys():
                keys.put(key_of(tenant, key) + row[len(key_of(tenant)) :], None)
        step.count(len(rows), held.bytes_read - before)
        if len(rows) < AT_ONCE:
            return None
        left = replace(left, done=rows[-1])
    return left
