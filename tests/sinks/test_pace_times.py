"""The pace in numbers, worked out by hand."""

import pytest

from sinks.http.adaptive_rate import Pace


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_seconds_worth_at_once_and_then_one_after_the_other() -> None:
    seconds = Seconds()
    pace = Pace(10, seconds)
    assert [pace.take() for _ in range(10)] == [0.0] * 10
    for _ in range(3):
        assert pace.take() == pytest.approx(0.1)
        seconds.now += 0.1
        assert pace.take() == 0


def test_what_was_not_used_is_kept_for_a_second_and_no_longer() -> None:
    seconds = Seconds()
    pace = Pace(10, seconds)
    for _ in range(10):
        pace.take()
    seconds.now += 0.5
    assert [pace.take() for _ in range(6)] == pytest.approx([0.0] * 5 + [0.1])
    seconds.now += 60
    assert [pace.take() for _ in range(11)] == pytest.approx([0.0] * 10 + [0.1])


def test_a_quota_exceeded_halves_it_at_once_and_takes_what_was_kept() -> None:
    seconds = Seconds()
    pace = Pace(10, seconds)
    pace.exceeded(seconds.now)
    assert pace.rate == 5
    assert pace.take() == pytest.approx(0.2)
    pace.exceeded(seconds.now + 1)
    assert pace.rate == 2.5
    assert pace.take() == pytest.approx(0.4)


def test_it_grows_by_a_twentieth_a_second_up_to_what_it_was() -> None:
    seconds = Seconds()
    pace = Pace(10, seconds)
    pace.exceeded(seconds.now)
    seconds.now += 1
    pace.take()
    assert pace.rate == pytest.approx(5.25)
    seconds.now += 2
    pace.take()
    assert pace.rate == pytest.approx(5.25 * 1.05 * 1.05)
    seconds.now += 12  # 1.05 ** 15 is 2.08
    pace.take()
    assert pace.rate == 10


def test_a_hundredth_is_the_least() -> None:
    pace = Pace(1000, Seconds())
    for number in range(20):
        pace.exceeded(100 + number)
    assert pace.rate == 10
