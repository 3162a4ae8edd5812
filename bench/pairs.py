"""Contestants in turn, and how two of them compare: the one mechanism of all side-by-side benches.

A machine does other things meanwhile, so figures of different minutes can't be compared. Each round
runs every contestant once, the next round in the reverse order; a ratio is taken within a round,
of neighbours in time, and the median of the rounds' ratios is what counts.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from math import comb
from statistics import median

from msgspec import Struct

PAIRS = 10
CONFIDENCE = 0.95
ITSELF = "itself"
"""The contestant's own process, among those whose processor time is measured."""

Progress = Callable[[str], None]


class Run(Struct, frozen=True):
    """What one contestant did in one round: units a second, and processor time a unit in µs.

    A unit is what the benchmark counts: a record, a row, a delivery. A figure is 0 where the run
    was too short for it, and then its pair has no ratio. Processor time is by process:
    where the broker or the database is what bounds all contestants, only it tells them apart.
    """

    per_second: float
    cpu_us: dict[str, float]


class Ratio(Struct, frozen=True):
    """Ours to theirs over several pairs: the median, and an interval around it.

    `low` and `high` are two of the pairs' own ratios. Whatever their distribution is, the true
    median is between them with the probability `confidence`: at least 0.95 from six pairs on.
    With fewer they are the least and the greatest, and `confidence` says how little that is.
    `pairs` are those in which both runs were long enough to be measured; without one all is 0.
    """

    median: float
    low: float
    high: float
    confidence: float
    pairs: int


Turn = Callable[[str], Awaitable[Run]]
"""Runs the contestant of this name."""
OpenRound = Callable[[int], AbstractAsyncContextManager[Turn]]
"""Sets the round of this number up, gives its turns, and tidies up."""
Rounds = Sequence[dict[str, Run]]


async def take_turns(
    names: Sequence[str], pairs: int, open_round: OpenRound, progress: Progress
) -> Rounds:
    """Run each contestant once in each of so many rounds, every other round in reverse order."""
    rounds = []
    for number in range(pairs):
        async with open_round(number) as turn:
            runs = {}
            for name in names[:: -1 if number % 2 else 1]:
                progress(f"Round {number + 1} of {pairs}: {name}")
                runs[name] = await turn(name)
        rounds.append(runs)
    return rounds


def middle(rounds: Rounds, name: str) -> Run:
    """The medians of one contestant's runs."""
    runs = [round_[name] for round_ in rounds]
    processes = runs[0].cpu_us
    return Run(
        per_second=round(median(run.per_second for run in runs)),
        cpu_us={
            process: round(median(run.cpu_us[process] for run in runs), 3) for process in processes
        },
    )


def speed_ratio(rounds: Rounds, ours: str, theirs: str) -> Ratio:
    """Ours to theirs in units a second: above 1 we are faster."""
    return _ratio((runs[ours].per_second, runs[theirs].per_second) for runs in rounds)


def cpu_ratio(rounds: Rounds, ours: str, theirs: str, process: str = ITSELF) -> Ratio:
    """Theirs to ours in processor time a unit: above 1 we take less."""
    return _ratio((runs[theirs].cpu_us[process], runs[ours].cpu_us[process]) for runs in rounds)


def _ratio(pairs: Iterable[tuple[float, float]]) -> Ratio:
    return ratio_of([above / below for above, below in pairs if above and below])


def ratio_of(values: Sequence[float]) -> Ratio:
    """The median of the pairs' ratios and its interval by order statistics."""
    if not values:
        return Ratio(0.0, 0.0, 0.0, 0.0, 0)
    ordered = sorted(values)
    inner = 0
    while inner + 1 < len(ordered) / 2 and _coverage(len(ordered), inner + 1) >= CONFIDENCE:
        inner += 1
    return Ratio(
        median=round(median(ordered), 3),
        low=round(ordered[inner], 3),
        high=round(ordered[-1 - inner], 3),
        confidence=round(_coverage(len(ordered), inner), 3),
        pairs=len(ordered),
    )


def _coverage(count: int, left_out: int) -> float:
    """How probable it is that the true median is within all values but so many at each end."""
    # Each value is below the true median with probability 1/2, independently of the others.
    outside = sum(comb(count, below) for below in range(left_out + 1))
    return float(1 - 2 * outside / 2**count)
