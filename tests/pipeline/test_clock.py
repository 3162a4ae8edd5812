"""The machine's clock: small corrections are followed, a jump ends the worker."""

import re

import pytest

from pipeline import clock
from pipeline.clock import JUMP_MS, SystemClock
from schemas.errors import Unavailable


class Machine:
    """What a machine says of the time (ms)."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.wall, self.passed = 1_772_366_400_000, 5_000
        patch.setattr(clock, "_wall", lambda: self.wall)
        patch.setattr(clock, "_passed", lambda: self.passed)

    def wait(self, passed: int, shown: int) -> None:
        self.passed += passed
        self.wall += shown


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_time_passes(machine: Machine) -> None:
    found = SystemClock()
    machine.wait(60_000, 60_000)
    assert found.now() == machine.wall


def test_small_corrections_add_up_without_harm(machine: Machine) -> None:
    found = SystemClock()
    for _ in range(10):
        machine.wait(1000, 1000 + JUMP_MS - 1)
        assert found.now() == machine.wall


@pytest.mark.parametrize("jump", [3_600_000, -3_600_000, JUMP_MS + 1, -JUMP_MS - 1])
def test_after_a_jump_nothing_is_decided_and_a_new_start_takes_the_new_time(
    machine: Machine, jump: int
) -> None:
    found = SystemClock()
    machine.wait(1000, 1000 + jump)
    with pytest.raises(Unavailable, match=re.escape(f"jumped by {jump / 1000:+.0f} s")):
        found.now()
    assert SystemClock().now() == machine.wall


def test_the_real_clock_tells_the_time() -> None:
    before = clock._wall()
    assert before <= SystemClock().now() <= clock._wall()
