"""Who follows whom, by when each of it was so: what comes late undoes nothing that is newer."""

from itertools import islice

from agents.edges import drop_edge, put_edge
from pipeline.producing.outputs import partition_of
from policy.time.timestamps import epoch_ms
from schemas.follow import Follow
from tables.followers import (
    FOLLOW_TIMES,
    FOLLOWER_COUNTS,
    FOLLOWERS,
    LAST_FOLLOWS,
    UNFOLLOWED,
    UNFOLLOWED_KEPT_MS,
    LastFollow,
    edge_digest,
    unfollowed_at,
    unfollowed_key,
)
from tables.storage.table import key_of
from tables.storage.transaction import Transaction

LATEST_MS = 600_000
"""After which nothing of a process that ended arrives any more: far more than a write may take."""
_SWEPT = 2
"""Edges looked at for their age whenever one is unfollowed, so that more go than come."""


def take_follow(
    transaction: Transaction, follow: Follow, accepted_at: int, partitions: int, erased_at: int = 0
) -> bool:
    """Count it, unless something newer is stored about the same two; whether it was taken.

    `accepted_at` (epoch ms) is when Kafka took it: no follow counts as later than that, however
    far ahead its producer's clock is. Of two for the same moment the one that is read last counts.
    What was so before one of them was erased, at `erased_at`, is not known any more.
    """
    edge = key_of(follow.tenant, follow.followee, follow.follower)
    times, digest = transaction.view(FOLLOW_TIMES), edge_digest(edge)
    at = max(1, min(epoch_ms(follow.at), accepted_at))
    known = abs(times.get(digest) or 0)
    if erased_at < known and at < known:
        return False
    times.put(digest, at if follow.following else -at)
    who = follow.tenant, follow.followee, follow.follower
    if follow.following != bool(transaction.view(FOLLOWERS).get(edge)):
        _count(transaction, *who, 1 if follow.following else -1, partitions)
    put_edge(transaction, *who, following=follow.following, at=accepted_at)
    if not follow.following:
        transaction.view(UNFOLLOWED).put(unfollowed_key(accepted_at, digest), True)
        _forget_old(transaction, accepted_at - UNFOLLOWED_KEPT_MS)
    return True


def is_overtaken(transaction: Transaction, follow: Follow) -> bool:
    """Whether a router has passed on something newer of the same partition, not long after.

    A router passes on what it read in order. But what one had sent when it ended may arrive after
    what its successor sent: the same follow once more, which may have ended since. One that is much
    older is no such record but was sent again on purpose, as a dead letter is.
    """
    if follow.origin is None:
        return False
    number, offset = follow.origin
    heard, source = transaction.view(LAST_FOLLOWS), number.to_bytes(2, "big")
    last = heard.get(source)
    if last is not None and offset < last.offset:
        return 0 <= last.accepted_at - follow.accepted_at <= LATEST_MS
    heard.put(source, LastFollow(offset, follow.accepted_at))
    return False


def drop_follow(
    transaction: Transaction, tenant: str, followee: str, follower: str, partitions: int
) -> None:
    """Count it no more, and forget that it ever was."""
    edge = key_of(tenant, followee, follower)
    if transaction.view(FOLLOWERS).get(edge):
        _count(transaction, tenant, followee, follower, -1, partitions)
    transaction.view(FOLLOW_TIMES).put(edge_digest(edge), None)
    drop_edge(transaction, tenant, followee, follower)


def _count(
    transaction: Transaction, tenant: str, followee: str, follower: str, more: int, partitions: int
) -> None:
    counts, place = transaction.view(FOLLOWER_COUNTS), key_of(tenant, followee)
    count, partition = dict(counts.get(place) or {}), partition_of(follower, partitions)
    count[partition] = count.get(partition, 0) + more
    counts.put(place, {at: n for at, n in count.items() if n} or None)


def _forget_old(transaction: Transaction, before: int) -> None:
    unfollowed, times = transaction.view(UNFOLLOWED), transaction.view(FOLLOW_TIMES)
    for key in list(islice(unfollowed.keys(b""), _SWEPT)):
        taken_at, digest = unfollowed_at(key)
        if taken_at >= before:
            return
        unfollowed.put(key, None)
        # Followed since, or unfollowed once more, it is known for another time.
        if -before < (times.get(digest) or 0) < 0:
            times.put(digest, None)
