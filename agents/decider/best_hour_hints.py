"""Best-hour hints, as the decider stores and deletes them.

What writes them is in `agents.best_hours`, so that a worker need not load ClickHouse's client.
"""

from schemas.profile import Hint
from schemas.topics import HINTS
from tables.storage.transaction import Transaction
from tables.users import PROFILES, user_key


def take_hint(transaction: Transaction, hint: Hint, here: int) -> None:
    """Keep it with the user's profile.

    Of a user of whom nothing is known it is dropped, from its topic as well: they may have been
    erased after their opens were read.
    """
    person, profiles = user_key(hint.tenant, hint.user), transaction.view(PROFILES)
    before = profiles.get(person)
    if before is None:
        forget_hint(transaction, hint.tenant, hint.user, here)
        return
    after = before.with_hint(hint)
    if after is not before:
        profiles.put(person, after)


def forget_hint(transaction: Transaction, tenant: str, user: str, here: int) -> None:
    """Have the topic, which keeps the last hint of everybody for ever, forget this user's."""
    transaction.outputs.add(HINTS, here, user_key(tenant, user), None)
