import pytest

from bench.gateway.rate_search import (
    BUSY,
    HIGHEST,
    TRIES_BESIDE_OTHERS,
    Measured,
    calmest,
    climb,
    highest,
    step,
)
from bench.gateway.sockets import Arrived


async def tried(limit: int, lowest: int = 1000) -> list[tuple[int, bool]]:
    """The rates that are tried where those up to a limit arrive in time."""

    async def measure(rate: int, seconds: int) -> Measured:
        return Measured(Arrived(rate * seconds, 5.0, 20.0 if rate <= limit else 20.1))

    rungs = await climb(measure, lowest, 2, 20.0)
    best = highest(rungs)
    assert (best.messages_per_second if best else 0) <= limit
    return [(rung.messages_per_second, rung.held) for rung in rungs]


async def test_the_rate_doubles_until_it_does_not_hold_and_then_the_gap_is_halved() -> None:
    assert await tried(5700) == [
        (1000, True),
        (2000, True),
        (4000, True),
        (8000, False),
        (6000, False),
        (5000, True),
        (5500, True),
    ]


async def test_nothing_is_looked_for_below_the_lowest_or_above_the_highest() -> None:
    assert await tried(999) == [(1000, False)]
    assert await tried(HIGHEST, HIGHEST) == [(HIGHEST, True)]


@pytest.mark.parametrize(
    "second", [Arrived(199, 1.0, 1.0), None], ids=["one is missing", "the sender was too slow"]
)
async def test_what_fails_twice_did_not_hold(second: Arrived | None) -> None:
    answers = [Arrived(200, 9.0, 99.0), second]

    async def measure(rate: int, seconds: int) -> Measured:
        return Measured(answers.pop(0))

    (rung,) = await climb(measure, 100, 2, 20.0)
    assert not rung.held
    assert not answers


async def test_what_holds_when_tried_again_held() -> None:
    answers = [Arrived(200, 9.0, 99.0), Arrived(2 * HIGHEST, 9.0, 19.0)]

    async def measure(rate: int, seconds: int) -> Measured:
        return Measured(answers.pop(0))

    (rung,) = await climb(measure, HIGHEST, 2, 20.0)
    assert rung.held


@pytest.mark.parametrize(
    ("elsewhere", "times"), [(BUSY, 2), (BUSY + 0.1, TRIES_BESIDE_OTHERS)], ids=["idle", "busy"]
)
async def test_beside_other_programs_it_is_tried_more_often(elsewhere: float, times: int) -> None:
    p99 = [90.0 - number for number in range(times)]

    async def measure(rate: int, seconds: int) -> Measured:
        return Measured(Arrived(rate * seconds, 9.0, p99.pop(0)), elsewhere)

    rung = await step(measure, 100, 2, 20.0)
    assert (rung.held, rung.p99_ms, p99) == (False, 91.0 - times, [])


@pytest.mark.parametrize(
    ("elsewhere", "found"), [([0.3, 0.05], 0.05), ([0.3, 0.2, 0.4], 0.2), ([BUSY], BUSY)]
)
async def test_what_others_disturbed_is_measured_again(
    elsewhere: list[float], found: float
) -> None:
    async def measure(rate: int, seconds: int) -> Measured:
        return Measured(None, elsewhere.pop(0))

    assert (await calmest(measure, 100, 2)).elsewhere == found
    assert not elsewhere
