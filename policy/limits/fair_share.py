"""Which tenant sets off more than its share, so that it does not delay the others."""

from msgspec import Struct

BURST_SECONDS = 5
"""Seconds of its share that a tenant may use at once after it was idle."""


class Bucket(Struct, frozen=True, array_like=True, gc=False):
    """What a tenant may still set off, in thousandths of a record, as of `at` (epoch ms).

    Below 0 it owes: one event may set off more than was left.
    """

    left: int
    at: int


def spend(bucket: Bucket | None, share: int, cost: int, at: int) -> tuple[Bucket, bool]:
    """The bucket after `cost` records at `at`, and whether the tenant was over its share.

    `share` is records a second. In any time what is not over is at most the share of that time,
    the burst and one event; who never asks for more than share and burst is never over. What
    is over costs nothing, since it goes where only idle time is used. Depends on nothing but
    the arguments, so that a replay answers the same; a time that goes backwards counts as none.
    """
    most = share * BURST_SECONDS * 1000
    if bucket is None:
        bucket = Bucket(most, at)
    # So many records a second are as many thousandths a millisecond.
    left = min(most, bucket.left + share * max(0, at - bucket.at))
    at = max(at, bucket.at)
    if left <= 0:
        return Bucket(left, at), True
    return Bucket(left - cost * 1000, at), False
