"""How many mutants of a package were killed, with how sure that is of all it has."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from policy.experiments.statistics import wilson
from tests.mutation.job import Outcome


class Score(Struct, frozen=True, kw_only=True):
    """Counts of one package, and the share that was killed of what is not benign."""

    package: str
    tried: int
    killed: int
    timed_out: int
    survived: int
    untested: int
    benign: int
    score: float
    low: float
    high: float
    """The 95 % interval of the share among all mutants of the package (Wilson)."""
    distrusted: int = 0
    """Kills that did not count, as the same test failed without the change."""


def score_of(package: str, outcomes: Iterable[Outcome], distrusted: int = 0) -> Score:
    """From what became of each mutant."""
    count = Counter(outcomes)
    killed = count[Outcome.KILLED] + count[Outcome.TIMED_OUT]
    counted = count.total() - count[Outcome.BENIGN]
    share = killed / counted if counted else 0.0
    interval = wilson(share, counted)
    return Score(
        package=package,
        tried=count.total(),
        killed=count[Outcome.KILLED],
        timed_out=count[Outcome.TIMED_OUT],
        survived=count[Outcome.SURVIVED],
        untested=count[Outcome.UNTESTED],
        benign=count[Outcome.BENIGN],
        score=round(share, 4),
        low=round(interval.low, 4),
        high=round(interval.high, 4),
        distrusted=distrusted,
    )


def table(scores: Iterable[Score]) -> str:
    """The scores as text, a line each."""
    head = ("package", "tried", "killed", "timed out", "survived", "untested", "benign", "score")
    rows = [
        (
            score.package,
            *map(str, (score.tried, score.killed, score.timed_out, score.survived)),
            *map(str, (score.untested, score.benign)),
            f"{score.score:.3f} ({score.low:.3f}-{score.high:.3f})",
        )
        for score in scores
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place in (0, len(row) - 1) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    )
