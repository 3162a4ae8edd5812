"""Who follows whom, kept twice: counted by the router, listed by the decider in both directions."""

from hashlib import blake2b

from pipeline.topics import DEAD_LETTERS
from tables.table import Table

FOLLOWER_COUNTS: Table[dict[int, int]] = Table(b"c", dict[int, int])
"""By followee (tenant, followee): followers in each user partition."""

FOLLOWERS: Table[bool] = Table(b"f", bool)
"""By edge (tenant, followee, follower). In the router all followers of its followees, so that a
follow told twice counts once; in the decider those followers whose own state is beside them."""

FOLLOWEES: Table[bool] = Table(b"e", bool)
"""The decider's same edges the other way round: (tenant, follower, followee)."""

SEGMENTS: Table[bool] = Table(b"g", bool)
"""Users by attribute: (tenant, attribute, value, user)."""

FOLLOW_TIMES: Table[int] = Table(b"m", int)
"""The router's: what was last said of an edge, by its digest, and for when (epoch ms). Above 0
since when it is followed, below 0 since when no longer. By digest, as it outlives the edge, and
must then name nobody."""

UNFOLLOWED: Table[bool] = Table(b"u", bool)
"""The router's: digests of edges that are followed no longer, by when that was taken, the oldest
first. After UNFOLLOWED_KEPT_MS nothing is known of them any more."""
UNFOLLOWED_KEPT_MS = DEAD_LETTERS.retention_ms
"""As long as an older follow may still come: a dead letter is sent again that late."""
_TIME_BYTES = 8


def edge_digest(edge: bytes) -> bytes:
    """What stands for an edge, and does not say whose it is."""
    return blake2b(edge, digest_size=16).digest()


def unfollowed_key(at: int, digest: bytes) -> bytes:
    """Where an edge stands in UNFOLLOWED, which is in the order of time."""
    return at.to_bytes(_TIME_BYTES, "big") + digest


def unfollowed_at(key: bytes) -> tuple[int, bytes]:
    """When it was taken that an edge is followed no longer (epoch ms), and its digest."""
    return int.from_bytes(key[:_TIME_BYTES], "big"), key[_TIME_BYTES:]
