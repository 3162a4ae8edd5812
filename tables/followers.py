"""Who follows whom, kept twice: counted by the router, listed by the decider.

Both find the edges of a user in both directions.
"""

from hashlib import blake2b

from msgspec import Struct

from schemas.topics import DEAD_LETTERS
from tables.storage.table import Table


class Edge(Struct, frozen=True, array_like=True):
    """One follows another, as said by a record that Kafka took at `accepted_at` (epoch ms)."""

    accepted_at: int = 0


FOLLOWER_COUNTS: Table[dict[int, int]] = Table(b"c", dict[int, int])
"""By followee (tenant, followee): followers in each user partition."""

FOLLOWERS: Table[Edge | bool] = Table(b"f", Edge | bool)  # type: ignore[arg-type]  # a union is no class
"""By edge (tenant, followee, follower). In the router all followers of its followees, so that a
follow told twice counts once; in the decider those followers whose own state is beside them. Rows
of before are true, and do not say since when."""

FOLLOWEES: Table[bool] = Table(b"e", bool)
"""The same edges the other way round: (tenant, follower, followee)."""


class Indexed(Struct, frozen=True, array_like=True):
    """The edges up to and with `done` are in FOLLOWEES, and all later ones are if complete."""

    done: bytes = b""
    is_complete: bool = False


INDEXED = Table(b"j", Indexed)
"""One row: how far it was looked whether rows of before are in FOLLOWEES too."""

SEGMENTS: Table[bool] = Table(b"g", bool)
"""Users by attribute: (tenant, attribute, value, user)."""

FOLLOW_TIMES: Table[int] = Table(b"m", int)
"""The router's: what was last said of an edge, by its digest, and for when (epoch ms). Above 0
since when it is followed, below 0 since when no longer. By digest, as it outlives the edge, and
must then name nobody."""

UNFOLLOWED: Table[bool] = Table(b"u", bool)
"""The router's: digests of edges that are followed no longer, by when that was taken, the oldest
first. After UNFOLLOWED_KEPT_MS nothing is stored about them any more."""
UNFOLLOWED_KEPT_MS = DEAD_LETTERS.retention_ms
"""As long as an older follow may still come: a dead letter is sent again that late."""
_TIME_BYTES = 8


class LastFollow(Struct, frozen=True, array_like=True):
    """The last record of `follows` that was heard of, and when Kafka took it (epoch ms)."""

    offset: int
    accepted_at: int


LAST_FOLLOWS = Table(b"i", LastFollow)
"""The decider's: by the partition of `follows` from which a router passed it on."""


def edge_digest(edge: bytes) -> bytes:
    """What stands for an edge, and does not say whose it is."""
    return blake2b(edge, digest_size=16).digest()


def unfollowed_key(at: int, digest: bytes) -> bytes:
    """Where an edge stands in UNFOLLOWED, which is in the order of time."""
    return at.to_bytes(_TIME_BYTES, "big") + digest


def unfollowed_at(key: bytes) -> tuple[int, bytes]:
    """When it was taken that an edge is followed no longer (epoch ms), and its digest."""
    return int.from_bytes(key[:_TIME_BYTES], "big"), key[_TIME_BYTES:]


def accepted_at(edge: Edge | bool | None) -> int:
    """When Kafka took what the edge is from (epoch ms); 0 where that is not known."""
    return edge.accepted_at if isinstance(edge, Edge) else 0
