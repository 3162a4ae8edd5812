"""Who follows whom: how it is stored, in which order it goes, and that rows of before are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.followers import (
    FOLLOW_TIMES,
    FOLLOWEES,
    FOLLOWER_COUNTS,
    FOLLOWERS,
    INDEXED,
    LAST_FOLLOWS,
    SEGMENTS,
    UNFOLLOWED,
    UNFOLLOWED_KEPT_MS,
    Edge,
    Indexed,
    LastFollow,
    accepted_at,
    edge_digest,
    unfollowed_at,
    unfollowed_key,
)
from tables.storage.memory_store import MemoryStore
from tables.storage.table import Table, View, key_of
from tests.tables.stored import read, written

DAY_MS = 86_400_000
moments = st.integers(0, 2**63)
digests = st.binary(min_size=16, max_size=16)


@pytest.mark.parametrize(
    ("table", "prefix", "plain", "value"),
    [
        (FOLLOWER_COUNTS, b"c", {3: 2, 0: 70_000}, {3: 2, 0: 70_000}),
        (FOLLOWERS, b"f", [1_772_366_400_000], Edge(1_772_366_400_000)),
        (FOLLOWEES, b"e", True, True),
        (INDEXED, b"j", [b"\x00\x01t", False], Indexed(b"\x00\x01t", is_complete=False)),
        (INDEXED, b"j", [b"", True], Indexed(b"", is_complete=True)),
        (SEGMENTS, b"g", True, True),
        (FOLLOW_TIMES, b"m", 1_772_366_400_000, 1_772_366_400_000),
        # Not followed since then.
        (FOLLOW_TIMES, b"m", -1_772_366_400_000, -1_772_366_400_000),
        (UNFOLLOWED, b"u", True, True),
        (LAST_FOLLOWS, b"i", [41, 1000], LastFollow(41, 1000)),
    ],
    ids=["counts", "followers", "followees", "indexed", "complete", "segments", "followed",
         "left", "unfollowed", "last"],
)  # fmt: skip
def test_each_is_stored_as_the_last_release_stores_it(
    table: Table[object], prefix: bytes, plain: object, value: object
) -> None:
    assert written(table, value) == {prefix + b"key": plain}
    assert read(table, prefix, plain) == value


@pytest.mark.parametrize(
    ("table", "prefix", "plain", "value"),
    [
        (FOLLOWERS, b"f", True, True),
        (FOLLOWERS, b"f", [], Edge(0)),
        (INDEXED, b"j", [], Indexed(b"", is_complete=False)),
        (INDEXED, b"j", [b"x"], Indexed(b"x", is_complete=False)),
    ],
    ids=["true", "no time", "nothing done", "not complete"],
)
def test_what_rows_of_before_do_not_say_is_not_known(
    table: Table[object], prefix: bytes, plain: object, value: object
) -> None:
    assert read(table, prefix, plain) == value


@pytest.mark.parametrize(
    ("edge", "at"), [(Edge(7), 7), (Edge(), 0), (Edge(-1), -1), (True, 0), (None, 0)]
)
def test_an_edge_says_since_when_and_one_of_before_does_not(
    edge: Edge | bool | None, at: int
) -> None:
    """What is older than an erasure goes; so an edge of unknown age goes with any."""
    assert accepted_at(edge) == at


def test_a_digest_has_16_bytes_and_names_nobody() -> None:
    """BLAKE2b, as `b2sum -l 128` says of the same bytes."""
    assert edge_digest(b"edge").hex() == "552c62de8a734c6865df8504f6c92241"
    edges = [key_of("t", "ann", "bob"), key_of("t", "bob", "ann"), key_of("t", "annb", "ob")]
    found = [edge_digest(edge) for edge in edges]
    assert len(set(found)) == len(edges)
    assert not any(name in digest for digest in found for name in (b"ann", b"bob"))


@given(st.lists(st.tuples(moments, digests), max_size=10))
def test_those_unfollowed_first_stand_first(unfollowed: list[tuple[int, bytes]]) -> None:
    view = View(UNFOLLOWED, MemoryStore())
    for at, digest in unfollowed:
        view.put(unfollowed_key(at, digest), True)
    found = [unfollowed_at(key) for key in view.keys(b"")]
    assert found == sorted(set(unfollowed))


def test_where_an_unfollowed_edge_stands() -> None:
    assert unfollowed_key(258, b"d" * 16) == bytes(6) + b"\x01\x02" + b"d" * 16


def test_an_unfollowing_is_known_as_long_as_a_dead_letter_may_be_replayed() -> None:
    assert UNFOLLOWED_KEPT_MS == 30 * DAY_MS
