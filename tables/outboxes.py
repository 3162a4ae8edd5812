"""Outboxes: posts of much-followed actors, kept where their followers are and read by them.

Each user partition has its own copy, so a feed is read in one place. All is written together.
"""

from schemas.feed import Post
from schemas.topics import DAY_MS
from tables.storage.table import Table, key_of, parts_of

POST_RETENTION_MS = 30 * DAY_MS
"""How long a post is shown."""
MOST_POSTS = 200
"""Posts of one actor; of more, the newest."""

POSTS = Table(b"a", Post)
"""By (tenant, actor, place), the newest first."""
OUTBOXES: Table[str] = Table(b"b", str)
"""Actors that have posts here: the newest one's item id, under (tenant, actor)."""
AGES: Table[bool] = Table(b"d", bool)
"""Posts by age, the oldest first: (item id, tenant, actor)."""

_REVERSED = str.maketrans("0123456789abcdef", "fedcba9876543210")
_PLACE_LENGTH = 46  # characters of an item id


def post_key(outbox: bytes, item: str) -> bytes:
    """Where a post stands, by its actor's key in OUTBOXES and its item id."""
    return outbox + key_of(item.translate(_REVERSED))


def place_of(key: bytes) -> bytes:
    """The place in a key; of any two posts, of whichever actors, the newer one's is less."""
    return key[-_PLACE_LENGTH:]


def item_at(key: bytes) -> str:
    """The item id of the post at a key."""
    return place_of(key).decode().translate(_REVERSED)


def age_key(tenant: str, actor: str, item: str) -> bytes:
    """Where a post stands among all of this partition."""
    return key_of(item, tenant, actor)


def aged(key: bytes) -> tuple[str, str, str]:
    """Tenant, actor and item id of the post at a place in AGES."""
    item, tenant, actor = parts_of(key)
    return tenant, actor, item
