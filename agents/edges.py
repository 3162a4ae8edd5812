"""Who follows whom, and what erasures leave to later turns: so many rows at a time."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from msgspec.structs import replace

from agents.decider.pending_erasure import HELD_ROWS, drop_held
from schemas.erasure import Withdrawal
from tables.erasure_filter import ERASING, Erasing, ErasureFilter
from tables.followers import FOLLOWEES, FOLLOWERS, INDEXED, Edge, Indexed, accepted_at
from tables.storage.step import Step
from tables.storage.table import Table, key_of, last_part, parts_of
from tables.storage.transaction import Transaction

AT_ONCE = 1000
"""Edges processed in one transaction, with other work between two."""
_TABLES: dict[str, Table[Any]] = {"followers": FOLLOWERS, "followees": FOLLOWEES}
Drop = Callable[[Transaction, str, str, str], None]
"""Drops the edge between a followee and a follower of a tenant."""


def put_edge(
    transaction: Transaction,
    tenant: str,
    followee: str,
    follower: str,
    *,
    following: bool,
    at: int = 0,
) -> None:
    """Store, in both directions, that one follows the other, or forget it.

    Kafka took what says so at `at` (epoch ms).
    """
    transaction.view(FOLLOWERS).put(
        key_of(tenant, followee, follower), Edge(at) if following else None
    )
    transaction.view(FOLLOWEES).put(key_of(tenant, follower, followee), True if following else None)


def drop_edge(transaction: Transaction, tenant: str, followee: str, follower: str) -> None:
    """Forget it in both directions."""
    put_edge(transaction, tenant, followee, follower, following=False)


def begin_erasing(transaction: Transaction, tenant: str, user: str, at: int) -> None:
    """Have `go_on_erasing` drop the user's edges, in both directions, that are older than `at`."""
    for direction in _TABLES:
        _begin(transaction, key_of(tenant, user, direction), at)


def _begin(transaction: Transaction, key: bytes, at: int) -> None:
    erasing = transaction.view(ERASING)
    before = erasing.get(key)
    erasing.put(key, Erasing(at if before is None else max(at, before.at)))


class EdgeErasures:
    """The erasures of edges that are under way in one partition."""

    def __init__(self, drop: Drop) -> None:
        self._drop = drop
        self._may_lack_index = True
        self.may_be_left = True
        """Until a look shows that nothing is."""

    def withdraw(
        self, transaction: Transaction, forgotten: ErasureFilter, said: Withdrawal
    ) -> None:
        """Note an actor as erased, and have their edges go; what is older may still come, as it is
        in other topics."""
        forgotten.note(said.tenant, said.actor, said.at)
        begin_erasing(transaction, said.tenant, said.actor, said.at)
        self.may_be_left = True

    def go_on(self, transaction: Transaction) -> bool:
        """Do the next part; whether more may be left.

        Nothing is dropped until all edges can be found.
        """
        if self._may_lack_index:
            self._may_lack_index = go_on_indexing(transaction)
        else:
            self.may_be_left = go_on_erasing(transaction, self._drop)
        return self.may_be_left


def go_on_indexing(transaction: Transaction, most: int = AT_ONCE) -> bool:
    """Look whether the next `most` edges can be found by their followers; whether there are more.

    Rows of before have no entry the other way round, by which an erasure would find them. Once
    all have, the state says so.
    """
    indexed = transaction.view(INDEXED)
    done = indexed.get(b"")
    if done is not None and done.is_complete:
        return False
    start = b"" if done is None else done.done
    edges = list(islice(transaction.view(FOLLOWERS).keys(b"", start), most))
    if not edges and done is None:
        return False  # nothing was ever said, so nothing is amiss and nothing need be noted
    followees = transaction.view(FOLLOWEES)
    turned = [key_of(tenant, follower, other) for tenant, other, follower in map(parts_of, edges)]
    followees.load(turned)
    for key in turned:
        if followees.get(key) is None:
            followees.put(key, True)
    is_complete = len(edges) < most
    # Who was the last is of no use then, and they may be erased one day.
    indexed.put(b"", Indexed(b"" if is_complete else edges[-1], is_complete))
    return not is_complete


def go_on_erasing(transaction: Transaction, drop: Drop, most: int = AT_ONCE) -> bool:
    """Look at the next `most` edges of one erasure that is under way; whether there was one."""
    erasing = transaction.view(ERASING)
    key = next(erasing.keys(b""), None)
    left = None if key is None else erasing.get(key)
    if key is None or left is None:
        return False
    tenant, user, direction = parts_of(key)
    if direction == HELD_ROWS:
        erasing.put(key, drop_held(transaction, tenant, user, left, Step()))
        return True
    table = transaction.view(_TABLES[direction])
    edges = list(islice(table.keys(key_of(tenant, user), left.done), most))
    pairs = [
        (user, last_part(edge)) if direction == "followers" else (last_part(edge), user)
        for edge in edges
    ]
    followers = transaction.view(FOLLOWERS)
    followers.load(key_of(tenant, *pair) for pair in pairs)
    for followee, follower in pairs:
        if accepted_at(followers.get(key_of(tenant, followee, follower))) <= left.at:
            drop(transaction, tenant, followee, follower)
    erasing.put(key, replace(left, done=edges[-1]) if len(edges) == most else None)
    return True
