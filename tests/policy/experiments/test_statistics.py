"""Confidence intervals are those that were published, and do what intervals must."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.experiments.statistics import Counts, Interval, newcombe, wilson

BY_USER = st.lists(
    st.integers(1, 30).flatmap(lambda sent: st.tuples(st.just(sent), st.integers(0, sent))),
    min_size=1,
    max_size=40,
)
SHARES = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_one_share_is_as_published(successes: int, trials: int, low: float, high: float) -> None:
    """Newcombe 1998, pages 857-872, table I, method 3."""
    found = wilson(successes / trials, trials)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_is_as_published(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, pages 873-890, table II, method 10."""
    found = newcombe(one[0] / one[1], one[1], other[0] / other[1], other[1])
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(SHARES)
def test_a_share_lies_in_its_interval_and_that_within_0_and_1(share: tuple[int, int]) -> None:
    rate = share[0] / share[1]
    found = wilson(rate, share[1])
    assert 0 <= found.low <= rate <= found.high <= 1
    # What did not happen is as sure as what did.
    mirrored = wilson(1 - rate, share[1])
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-9)
    wider = wilson(rate, share[1] / 2)
    assert wider.high - wider.low > found.high - found.low


@given(SHARES, SHARES)
def test_a_difference_lies_in_its_interval_either_way_round(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    rates = one[0] / one[1], other[0] / other[1]
    found = newcombe(rates[0], one[1], rates[1], other[1])
    assert -1 <= found.low <= rates[0] - rates[1] <= found.high <= 1
    back = newcombe(rates[1], other[1], rates[0], one[1])
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
    assert back.excludes_zero is found.excludes_zero


def test_without_trials_nothing_is_known() -> None:
    assert wilson(0.0, 0) == Interval(0.0, 1.0)
    assert newcombe(0.0, 0, 0.0, 0) == Interval(-1.0, 1.0)
    assert (Counts().rate, Counts().trials()) == (0.0, 0.0)


@given(BY_USER)
def test_messages_of_one_user_count_for_no_more_than_they_are(
    by_user: list[tuple[int, int]],
) -> None:
    counts = Counts.of(*by_user)
    assert counts.users * (1 - 1e-9) <= counts.trials() <= counts.sent


@given(st.lists(st.integers(0, 1), min_size=2, max_size=100))
def test_with_one_message_a_user_each_counts(successes: list[int]) -> None:
    counts = Counts.of(*((1, each) for each in successes))
    assert counts.trials() == pytest.approx(len(successes))


@given(st.lists(st.booleans(), min_size=2, max_size=100), st.integers(1, 50))
def test_users_who_do_the_same_with_all_count_once_each(did: list[bool], sent: int) -> None:
    counts = Counts.of(*((sent, sent * each) for each in did))
    assert counts.trials() == pytest.approx(len(did))


def test_a_rate_is_the_mean_of_users_whatever_each_was_sent() -> None:
    """By hand: (1/4 + 1) / 2; with one of each added, the mean of four is 9/16 and the mean of
    their squares (1/16 + 1 + 1) / 4 = 33/64."""
    counts = Counts.of((400, 100), (1, 1))
    assert counts.rate == 0.625
    spread = 33 / 64 - (9 / 16) ** 2
    assert counts.trials() == pytest.approx(2 * 9 / 16 * 7 / 16 / spread)
    assert Counts.of(*[(3, 1)] * 9).rate <= 1
    assert Counts.of(*[(3, 3)] * 9).rate == 1


def _few(random: Random) -> int:
    return random.choice((1, 5, 20))


def _unequal(random: Random) -> int:
    """Most get one or two messages, one in a hundred gets a hundred or more."""
    return min(500, int(random.paretovariate(1.0)))


def _mostly_one(random: Random) -> int:
    return 300 if random.random() < 0.02 else 1


def _all_or_nothing(random: Random) -> float:
    return random.choice((0.1, 0.9))


def _rarely(random: Random) -> float:
    return random.betavariate(0.5, 9.5)


@pytest.mark.parametrize("users", [(50, 50), (200, 200), (50, 500)])
@pytest.mark.parametrize("size", [_few, _unequal, _mostly_one])
@pytest.mark.parametrize("habit", [_all_or_nothing, _rarely])
def test_intervals_of_two_equal_variants_exclude_zero_one_time_in_twenty_at_most(
    size: Callable[[Random], int], habit: Callable[[Random], float], users: tuple[int, int]
) -> None:
    """Also where some users open all and others nothing, and some get very much more than others:
    by the share of all messages it would be up to one in three."""
    random = Random(1)
    runs, wrong = 200, 0
    for _ in range(runs):
        one, other = (_drawn(random, count, size, habit) for count in users)
        wrong += newcombe(one.rate, one.trials(), other.rate, other.trials()).excludes_zero
    assert wrong / runs < 0.08


def test_a_difference_is_seen_also_where_users_are_unequal() -> None:
    random = Random(1)
    runs, seen = 100, 0
    for _ in range(runs):
        one = _drawn(random, 300, _unequal, lambda random: random.choice((0.1, 0.7)))
        other = _drawn(random, 300, _unequal, lambda random: random.choice((0.3, 0.9)))
        seen += newcombe(other.rate, other.trials(), one.rate, one.trials()).low > 0
    assert seen > 90


def _drawn(
    random: Random, users: int, size: Callable[[Random], int], habit: Callable[[Random], float]
) -> Counts:
    """What so many users did, each of them by a habit of their own."""
    did = []
    for _ in range(users):
        sent, mine = size(random), habit(random)
        did.append((sent, sum(random.random() < mine for _ in range(sent))))
    return Counts.of(*did)
