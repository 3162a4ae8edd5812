"""How many requests a key may make, by a clock that the test sets."""

import pytest

from web.api.pace import Pace, Turn


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def test_ten_seconds_worth_may_come_at_once(pace: Pace) -> None:
    """60 a minute are one a second, so ten at once; each leaves one less."""
    turns = [pace.take("a", 60) for _ in range(12)]
    assert [turn.allowed for turn in turns] == [True] * 10 + [False] * 2
    assert [turn.left for turn in turns] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]
    assert {turn.limit for turn in turns} == {60}
    # All is free again once the tenth one's second is over; one more is possible after one.
    assert [turn.wait for turn in turns[-3:]] == [10.0, 1.0, 1.0]


def test_then_one_comes_each_time_that_one_is_free(pace: Pace, clock: Clock) -> None:
    for _ in range(10):
        pace.take("a", 60)
    clock.time += 0.5
    refused = pace.take("a", 60)
    assert (refused.allowed, refused.wait) == (False, 0.5)
    clock.time += 0.5
    assert pace.take("a", 60).allowed
    assert not pace.take("a", 60).allowed


def test_what_was_not_used_is_not_saved_up(pace: Pace, clock: Clock) -> None:
    pace.take("a", 60)
    clock.time += 3600
    assert sum(pace.take("a", 60).allowed for _ in range(20)) == 10


def test_a_slow_key_may_make_one_at_a_time(pace: Pace, clock: Clock) -> None:
    """Two a minute: less than one in ten seconds."""
    assert pace.take("a", 2) == Turn(True, 2, 0, 30.0)
    assert pace.take("a", 2) == Turn(False, 2, 0, 30.0)
    clock.time += 30
    assert pace.take("a", 2).allowed


def test_each_key_has_its_own(pace: Pace) -> None:
    assert pace.take("a", 2).allowed
    assert pace.take("b", 2).allowed
    assert not pace.take("a", 2).allowed


@pytest.mark.parametrize(
    ("turn", "headers"),
    [
        (Turn(True, 60, 9, 1.0), ("60", "9", "2", None)),
        (Turn(True, 60, 0, 9.3), ("60", "0", "10", None)),
        (Turn(False, 60, 0, 0.4), ("60", "0", "1", "1")),
        (Turn(False, 60, 0, 29.6), ("60", "0", "30", "30")),
    ],
)
def test_headers_say_it_in_whole_seconds_and_never_too_few(
    turn: Turn, headers: tuple[str, str, str, str | None]
) -> None:
    found = turn.headers()
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After")
    assert tuple(found.get(name) for name in names) == headers
