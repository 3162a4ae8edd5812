"""What a source says of its records to who looks at it."""

from agents.intake.source_figures import RATE_SECONDS, SourceFigures
from schemas.question import SourceState
from tests.agents.names import unique


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_that_of_the_last_seconds() -> None:
    clock = Clock()
    figures = SourceFigures(unique("orders"), clock)
    clock.now += 10
    figures.count({"moved": 60, "skipped": 30, "dead": 10})
    assert figures.state(0, "").per_second == 10
    clock.now += RATE_SECONDS
    assert figures.state(0, "").per_second == 0
    clock.now += 5
    figures.count({"moved": 20})
    clock.now += 5
    # Nothing came for 15 s before these five, of which ten count.
    assert figures.state(0, "").per_second == 0.8


def test_what_came_of_records_and_the_last_error_stay() -> None:
    name = unique("orders")
    figures = SourceFigures(name)
    figures.count({"moved": 3, "dead": 1})
    figures.refuse("orders/0/1", "is no JSON", 5)
    figures.refuse("orders/0/2", "x" * 1000, 7)
    figures.count({"moved": 1, "skipped": 2, "dead": 1})
    found = figures.state(12, "waits: away")
    assert found == SourceState(
        source=name,
        lag=12,
        per_second=found.per_second,
        moved=4,
        skipped=2,
        dead=2,
        last_error=f"orders/0/2: {'x' * 288}",
        last_error_at=7,
        waits="waits: away",
    )
