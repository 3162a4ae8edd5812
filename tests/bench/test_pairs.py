from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from bench.pairs import (
    ITSELF,
    Ratio,
    Run,
    Turn,
    cpu_ratio,
    middle,
    ratio_of,
    speed_ratio,
    take_turns,
)

OURS, THEIRS = "ours", "theirs"


class Fake:
    """Contestants whose runs are known, on a machine that is ten times as slow in round 2."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    @asynccontextmanager
    async def open_round(self, number: int) -> AsyncIterator[Turn]:
        self.steps.append(f"open {number}")
        slow = 10 if number == 2 else 1

        async def turn(name: str) -> Run:
            self.steps.append(name)
            if name == OURS:
                return Run((300 + number) / slow, {ITSELF: 2.0 * slow})
            return Run(100 / slow, {ITSELF: 5.0 * slow})

        yield turn
        self.steps.append(f"close {number}")


async def test_contestants_take_turns_in_alternating_order_each_round_set_up_anew() -> None:
    fake, progress = Fake(), list[str]()
    await take_turns((OURS, THEIRS), 3, fake.open_round, progress.append)
    assert fake.steps == [
        *("open 0", OURS, THEIRS, "close 0"),
        *("open 1", THEIRS, OURS, "close 1"),
        *("open 2", OURS, THEIRS, "close 2"),
    ]
    assert progress[0] == "Round 1 of 3: ours"
    assert len(progress) == 6


async def test_a_ratio_is_of_neighbours_in_time_so_a_slow_round_does_not_move_it() -> None:
    rounds = await take_turns((OURS, THEIRS), 3, Fake().open_round, lambda _: None)
    # 300/100, 301/100, 302/100: the slow round was as slow for both.
    found = speed_ratio(rounds, OURS, THEIRS)
    assert (found.median, found.low, found.high, found.pairs) == (3.01, 3.0, 3.02, 3)
    by_cpu = cpu_ratio(rounds, OURS, THEIRS)
    assert (by_cpu.median, by_cpu.low, by_cpu.high) == (2.5, 2.5, 2.5)


async def test_the_middle_run_is_the_median_of_each_figure() -> None:
    rounds = await take_turns((OURS, THEIRS), 3, Fake().open_round, lambda _: None)
    # Of 300, 301 and 30.2; and of 2, 2 and 20.
    assert middle(rounds, OURS) == Run(300, {ITSELF: 2.0})


def fractions() -> Iterator[float]:
    yield from (1.9, 1.1, 1.7, 1.3, 1.0, 1.6, 1.2, 1.8, 1.4, 1.5)


def test_of_ten_pairs_the_interval_leaves_out_one_at_each_end() -> None:
    found = ratio_of(list(fractions()))
    # The median of ten is between the fifth and the sixth. The true one is outside of the second
    # to the ninth if at most one of ten is on one side of it: 2 * (1 + 10) / 1024.
    assert (found.median, found.low, found.high) == (1.45, 1.1, 1.8)
    assert found.confidence == 0.979  # 1 - 22 / 1024 = 0.9785…


@pytest.mark.parametrize(
    ("count", "low", "confidence"),
    [
        (1, 1, 0.0),  # one pair says nothing of others
        (2, 1, 0.5),  # 1 - 2 / 4
        (5, 1, 0.938),  # 1 - 2 / 32 = 0.9375: too few for 95 %
        (6, 1, 0.969),  # 1 - 2 / 64
        (8, 1, 0.992),  # 1 - 2 / 256; leaving one out at each end is 1 - 18 / 256 = 0.93
        (9, 2, 0.961),  # 1 - 2 * (1 + 9) / 512
        (12, 3, 0.961),  # 1 - 2 * (1 + 12 + 66) / 4096
    ],
)
def test_the_interval_is_as_narrow_as_95_percent_allow(
    count: int, low: float, confidence: float
) -> None:
    found = ratio_of([float(number) for number in range(count, 0, -1)])
    assert (found.low, found.high) == (low, count + 1 - low)
    assert (found.confidence, found.pairs) == (confidence, count)


def test_a_run_too_short_to_be_measured_has_no_ratio_and_the_others_have() -> None:
    short = {OURS: Run(0.0, {ITSELF: 0.0}), THEIRS: Run(10.0, {ITSELF: 3.0})}
    long = {OURS: Run(20.0, {ITSELF: 2.0}), THEIRS: Run(10.0, {ITSELF: 5.0})}
    assert speed_ratio([short, long], OURS, THEIRS) == Ratio(2.0, 2.0, 2.0, 0.0, 1)
    assert cpu_ratio([short, long], OURS, THEIRS) == Ratio(2.5, 2.5, 2.5, 0.0, 1)
    assert speed_ratio([short], OURS, THEIRS) == Ratio(0.0, 0.0, 0.0, 0.0, 0)
