"""What the decider keeps for each user of its partition, under tenant and user."""

from functools import lru_cache

from policy.user.ledger import Ledger
from policy.user.profile import Profile
from tables.storage.table import Table, key_of

KEPT = 20000
"""Users of a partition whose state stays decoded, or twice as many: about 2 kB each, and half the
cost of a read."""
PROFILES = Table(b"p", Profile, kept=KEPT)
LEDGERS = Table(b"l", Ledger, kept=KEPT)


@lru_cache(maxsize=1 << 16)
def user_key(tenant: str, user: str) -> bytes:
    """The key of a user; many are asked for again and again."""
    return key_of(tenant, user)
