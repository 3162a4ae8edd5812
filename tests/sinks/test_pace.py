"""Pacing: never more than a second's worth at once, slower when told, and fast again after it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.pace import LEAST, Pace
from tests.virtual_time import in_virtual_time, now


class Moment:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=200), st.integers(1, 50))
def test_no_second_sees_more_than_the_rate(gaps: list[float], rate: int) -> None:
    moment = Moment()
    pace = Pace(rate, moment)
    made = []
    for gap in gaps:
        moment.now += gap
        made.append(moment.now + pace.take())
    assert made == sorted(made)
    for first in made:
        # A burst of a second's worth, and what becomes free while it is made.
        assert sum(first <= at < first + 1 for at in made) <= 2 * rate + 1


def test_within_the_rate_nothing_waits() -> None:
    moment = Moment()
    pace = Pace(100, moment)
    for _ in range(1000):
        moment.now += 0.0101
        assert pace.take() == 0


def test_a_quota_exceeded_halves_it_and_time_restores_it() -> None:
    moment = Moment()
    pace = Pace(1000, moment)
    pace.exceeded()
    assert pace.rate == 500
    for _ in range(50):
        pace.exceeded()
    assert pace.rate == pytest.approx(1000 * LEAST)
    moment.now += 200
    pace.take()
    assert pace.rate == 1000


@in_virtual_time
async def test_waiting_takes_as_long_as_it_says() -> None:
    pace = Pace(50, now)
    for _ in range(60):
        await pace.wait()
    assert now() == pytest.approx(0.2)  # fifty at once, and then ten at fifty a second
