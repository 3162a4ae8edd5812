"""Pacing: never more than a second's worth at once, slower when told, and fast again after it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.http.adaptive_rate import LEAST, Pace
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
        while seconds := pace.take():
            moment.now += seconds
        made.append(moment.now)
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
    pace.exceeded(moment.now)
    assert pace.rate == 500
    for number in range(1, 51):
        pace.exceeded(moment.now + number)
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


@pytest.mark.parametrize("hours", [1, 4, 5, 1000])
def test_however_long_it_idles_the_full_rate_is_all_that_comes_back(hours: int) -> None:
    moment = Moment()
    pace = Pace(10_000, moment)
    pace.exceeded(moment.now)
    moment.now += hours * 3600
    assert pace.take() == 0
    assert pace.rate == 10_000


def test_a_burst_that_was_too_much_halves_it_once() -> None:
    moment = Moment()
    pace = Pace(10_000, moment)
    made = []
    for _ in range(64):
        assert pace.take() == 0
        made.append(moment.now)
        moment.now += 0.0005
    for at in made:
        moment.now += 0.0008
        pace.exceeded(at)
    assert pace.rate == 5000
    # What is made at the new rate, and is still too much, halves it again.
    pace.exceeded(moment.now + 1)
    assert pace.rate == 2500


@in_virtual_time
async def test_what_is_critical_goes_first_and_all_else_in_order() -> None:
    pace, went = Pace(10, now), list[str]()

    async def call(name: str, *, urgent: bool = False) -> None:
        await pace.wait(urgent=urgent)
        went.append(f"{name} {now():.1f}")

    tasks = [asyncio.create_task(call(f"low{number}")) for number in range(13)]
    await asyncio.sleep(0.05)
    tasks.append(asyncio.create_task(call("critical", urgent=True)))
    await asyncio.gather(*tasks)
    assert went[10:] == ["critical 0.1", "low10 0.2", "low11 0.3", "low12 0.4"]


@in_virtual_time
async def test_who_gives_up_takes_no_place() -> None:
    pace, went = Pace(1, now), list[int]()

    async def call(number: int) -> None:
        await pace.wait()
        went.append(number)

    tasks = [asyncio.create_task(call(number)) for number in range(4)]
    await asyncio.sleep(0.5)
    tasks[1].cancel()
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert went == [0, 3]
    assert now() == pytest.approx(1.0)


@in_virtual_time
async def test_a_rate_below_one_a_second_lets_calls_through() -> None:
    pace = Pace(1, now)
    for number in range(20):
        pace.exceeded(number)
    await pace.wait()
    # At a hundredth a second, growing by a twentieth each second, one is due after 36 seconds.
    assert 35 < now() < 38
