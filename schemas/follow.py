"""`follows` (key: followee) and `following` (key: follower): who follows whom."""

from msgspec import Struct

from schemas.event import Moment, Name


class Follow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`follower` follows `followee` from `at` on, or no longer does.

    Of two records of the same two the one with the later `at` counts, in whichever order they
    come, for 30 days. The router counts it and writes the same record to `following`, keyed by
    the follower. Repeating it changes nothing. `accepted_at` (epoch ms) and `origin` are for the
    router, which writes there when Kafka took what it read, and its partition and offset.
    """

    follower: Name
    followee: Name
    at: Moment
    following: bool = True
    tenant: Name = "default"
    accepted_at: int = 0
    origin: tuple[int, int] | None = None
