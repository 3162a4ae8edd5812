"""What is said of an experiment: each variant against the first, and plainly where it can't be."""

import pytest

from policy.experiments.results import Metric, Results, Verdict, results
from policy.experiments.statistics import Counts, Interval


def counts(successes: int, sent: int) -> Counts:
    """One message a user."""
    return Counts.of(*((1, number < successes) for number in range(sent)))


def compared(first: tuple[int, int], other: tuple[int, int]) -> Results:
    found = {"plain": counts(*first), "warm": counts(*other)}
    return results("greeting", Metric.OPENED, found, ("plain", "warm"))


@pytest.mark.parametrize(
    ("first", "other", "verdict", "said"),
    [
        ((48, 80), (56, 70), "better", "warm is better than plain: +20.0 points (+5.2 to +33.4)."),
        ((56, 70), (48, 80), "worse", "warm is worse than plain: -20.0 points (-33.4 to -5.2)."),
        (
            (48, 80), (44, 70), "unclear",
            "warm against plain: +2.9 points (-12.6 to +17.9), which may be by chance.",
        ),
        (
            (9, 29), (20, 70), "too_little",
            "Too little data to compare warm with plain: plain reached 29 of at least 30 users.",
        ),
        (
            (9, 30), (4, 300), "too_little",
            "Too little data to compare warm with plain: 4 of warm succeeded, and at least 5 must.",
        ),
        (
            (9, 30), (298, 300), "too_little",
            "Too little data to compare warm with plain: 2 of warm did not succeed, and at least "
            "5 must not.",
        ),
    ],
)  # fmt: skip
def test_each_is_held_against_the_first(
    first: tuple[int, int], other: tuple[int, int], verdict: str, said: str
) -> None:
    (found,) = compared(first, other).compared
    assert (found.variant, found.against) == ("warm", "plain")
    assert found.said == said
    assert found.verdict == verdict
    if found.verdict is not Verdict.TOO_LITTLE:
        assert found.excludes_zero is (found.verdict is not Verdict.UNCLEAR)
    assert found.interval.low <= found.difference <= found.interval.high


def test_variants_are_in_the_catalogues_order_and_then_by_name() -> None:
    sent = {name: counts(1, 2) for name in ("b", "gone", "a", "former")}
    found = results("words", Metric.CLICKED, sent, ("b", "new", "a"))
    assert [each.variant for each in found.variants] == ["b", "new", "a", "former", "gone"]
    assert [each.variant for each in found.compared] == ["new", "a", "former", "gone"]
    new = found.variants[1]
    assert (new.sent, new.rate, new.interval.low, new.interval.high) == (0, None, 0.0, 1.0)


def test_one_variant_is_compared_with_nothing() -> None:
    assert results("words", Metric.OPENED, {"a": counts(1, 2)}).compared == []


def test_many_messages_to_few_users_are_not_much_data() -> None:
    """A thousand messages, but each user opens all of theirs or none."""
    one = Counts.of(*[(20, 20)] * 20, *[(20, 0)] * 30)
    other = Counts.of(*[(20, 20)] * 25, *[(20, 0)] * 25)
    found = results("words", Metric.OPENED, {"a": one, "b": other})
    assert found.variants[0].sent == 1000
    assert found.compared[0].verdict is Verdict.UNCLEAR


@pytest.mark.parametrize(
    ("first", "other", "is_enough"),
    [
        ((9, 30), (9, 30), True),
        ((9, 29), (9, 30), False),
        ((9, 30), (9, 29), False),
        ((5, 30), (5, 30), True),
        ((4, 30), (9, 30), False),
        ((9, 30), (4, 30), False),
        ((25, 30), (25, 30), True),
        ((26, 30), (9, 30), False),
        ((9, 30), (26, 30), False),
    ],
)
def test_how_much_is_enough(
    first: tuple[int, int], other: tuple[int, int], is_enough: bool
) -> None:
    (found,) = compared(first, other).compared
    assert (found.verdict is not Verdict.TOO_LITTLE) is is_enough


def test_what_is_told_of_a_variant() -> None:
    both = Counts.of((3, 2), (1, 0))
    (found,) = results("words", Metric.CLICKED, {"a": both}).variants
    assert (found.variant, found.users, found.sent, found.successes) == ("a", 2, 4, 2)
    assert found.rate == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 0.5, False),
        (0.1, 0.5, True),
        (-0.5, 0.0, False),
        (-0.5, -0.1, True),
        (-0.1, 0.1, False),
    ],
)
def test_zero_is_within_an_interval_that_touches_it(
    low: float, high: float, expected: bool
) -> None:
    assert Interval(low, high).excludes_zero is expected
