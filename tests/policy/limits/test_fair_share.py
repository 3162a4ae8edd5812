import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from policy.limits.fair_share import BURST_SECONDS, Bucket, spend

shares = st.integers(1, 20)
events = st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 30)), max_size=60)
"""Milliseconds since the last one, and how many records each sets off."""


def run(share: int, moments: list[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """Time, cost and verdict of each event."""
    bucket, told = None, list[tuple[int, int, bool]]()
    for at, cost in moments:
        bucket, over = spend(bucket, share, cost, at)
        told.append((at, cost, over))
    return told


def timed(steps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    at, moments = 1_000_000, []
    for step, cost in steps:
        at += step
        moments.append((at, cost))
    return moments


@given(shares, events)
def test_no_time_holds_more_than_share_burst_and_one_event(
    share: int, steps: list[tuple[int, int]]
) -> None:
    told = [(at, cost) for at, cost, over in run(share, timed(steps)) if not over]
    for first, (start, _) in enumerate(told):
        for end, cost in told[first:]:
            total = sum(c for at, c in told if start <= at <= end)
            largest = max(c for at, c in told if start <= at <= end)
            assert total <= share * BURST_SECONDS + share * (end - start) / 1000 + largest, cost


@given(shares, events)
def test_who_keeps_within_share_and_burst_is_never_over(
    share: int, steps: list[tuple[int, int]]
) -> None:
    level, last, kept = share * BURST_SECONDS * 1000, 1_000_000, list[tuple[int, int]]()
    for at, cost in timed(steps):
        level, last = min(share * BURST_SECONDS * 1000, level + share * (at - last)), at
        if cost * 1000 <= level:
            level -= cost * 1000
            kept.append((at, cost))
    assert not any(over for _, _, over in run(share, kept))


@given(shares, events)
def test_a_replay_and_an_encoded_bucket_answer_the_same(
    share: int, steps: list[tuple[int, int]]
) -> None:
    plain = encoded = None
    for at, cost in timed(steps):
        plain, over = spend(plain, share, cost, at)
        encoded, again = spend(encoded, share, cost, at)
        encoded = msgpack.decode(msgpack.encode(encoded), type=Bucket)
        assert (plain, over) == (encoded, again)


@pytest.mark.parametrize(
    ("bucket", "cost", "at", "after", "over"),
    [
        (None, 1, 1_000, Bucket(49_000, 1_000), False),
        (None, 80, 1_000, Bucket(-30_000, 1_000), False),
        (Bucket(-30_000, 1_000), 1, 4_000, Bucket(0, 4_000), True),
        (Bucket(-30_000, 1_000), 1, 4_001, Bucket(-990, 4_001), False),
        (Bucket(49_000, 1_000), 1, 90_000, Bucket(49_000, 90_000), False),
        (Bucket(5_000, 4_000), 1, 1_000, Bucket(4_000, 4_000), False),
    ],
)
def test_ten_a_second_by_hand(
    bucket: Bucket | None, cost: int, at: int, after: Bucket, over: bool
) -> None:
    assert spend(bucket, 10, cost, at) == (after, over)
