"""Who follows whom, by when each of it was so: what comes late undoes nothing that is newer."""

from itertools import islice

from pipeline.outputs import partition_of
from policy.instants import epoch_ms
from schemas.follow import Follow
from tables.followers import (
    FOLLOW_TIMES,
    FOLLOWER_COUNTS,
    FOLLOWERS,
    UNFOLLOWED,
    UNFOLLOWED_KEPT_MS,
    edge_digest,
    unfollowed_at,
    unfollowed_key,
)
from tables.table import key_of
from tables.turn import Turn

_SWEPT = 2
"""Edges looked at for their age whenever one is unfollowed, so that more go than come."""


def take_follow(turn: Turn, follow: Follow, accepted_at: int, partitions: int) -> bool:
    """Count it, unless something newer is known of the same two; whether it was taken.

    `accepted_at` (epoch ms) is when Kafka took it: no follow counts as later than that, however
    far ahead its producer's clock is. Of two for the same moment the one that is read last counts.
    """
    edge = key_of(follow.tenant, follow.followee, follow.follower)
    times, digest = turn.view(FOLLOW_TIMES), edge_digest(edge)
    at = max(1, min(epoch_ms(follow.at), accepted_at))
    if at < abs(times.get(digest) or 0):
        return False
    times.put(digest, at if follow.following else -at)
    _count(turn, follow, edge, partition_of(follow.follower, partitions))
    if not follow.following:
        turn.view(UNFOLLOWED).put(unfollowed_key(accepted_at, digest), True)
        _forget_old(turn, accepted_at - UNFOLLOWED_KEPT_MS)
    return True


def _count(turn: Turn, follow: Follow, edge: bytes, partition: int) -> None:
    edges, counts = turn.view(FOLLOWERS), turn.view(FOLLOWER_COUNTS)
    if follow.following == bool(edges.get(edge)):
        return
    edges.put(edge, True if follow.following else None)
    followee = key_of(follow.tenant, follow.followee)
    count = dict(counts.get(followee) or {})
    count[partition] = count.get(partition, 0) + (1 if follow.following else -1)
    counts.put(followee, {at: n for at, n in count.items() if n})


def _forget_old(turn: Turn, before: int) -> None:
    unfollowed, times = turn.view(UNFOLLOWED), turn.view(FOLLOW_TIMES)
    for key in list(islice(unfollowed.keys(b""), _SWEPT)):
        taken_at, digest = unfollowed_at(key)
        if taken_at >= before:
            return
        unfollowed.put(key, None)
        # Followed since, or unfollowed once more, it is known for another time.
        if -before < (times.get(digest) or 0) < 0:
            times.put(digest, None)
