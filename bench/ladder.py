"""The highest rate at which something still arrives in time."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from bench.sockets import Arrived

HIGHEST = 64_000
HALVINGS = 3
"""Of the gap between the last rate that held and the first that did not: it ends at an eighth."""
TRIES = 2
"""A machine that did something else for a moment must not decide it."""

Measure = Callable[[int, int], Awaitable[Arrived | None]]
"""What arrives at a rate, for so many seconds; None where so many could not even be sent."""


class Rung(Struct, frozen=True):
    """One rate that was tried, and whether all arrived in time."""

    messages_per_second: int
    missing: int
    p50_ms: float
    p99_ms: float
    held: bool


async def climb(measure: Measure, lowest: int, seconds: int, p99_ms: float) -> list[Rung]:
    """Try rates, each for so many seconds, twice the last until one does not hold, then between."""
    rungs: list[Rung] = []
    held, broke, rate = 0, 0, lowest
    while rate <= HIGHEST and not broke:
        rungs.append(await _try(measure, rate, seconds, p99_ms))
        held, broke = (rate, 0) if rungs[-1].held else (held, rate)
        rate *= 2
    for _ in range(HALVINGS if held and broke else 0):
        rate = (held + broke) // 2
        rungs.append(await _try(measure, rate, seconds, p99_ms))
        held, broke = (rate, broke) if rungs[-1].held else (held, rate)
    return rungs


def highest(rungs: list[Rung]) -> Rung | None:
    """The highest rate that held, if one did."""
    held = [rung for rung in rungs if rung.held]
    return max(held, key=lambda rung: rung.messages_per_second, default=None)


async def _try(measure: Measure, rate: int, seconds: int, p99_ms: float) -> Rung:
    for _ in range(TRIES):
        arrived = await measure(rate, seconds)
        found = rung(arrived, rate, seconds, p99_ms)
        if found.held:
            break
    return found


def rung(arrived: Arrived | None, rate: int, seconds: int, p99_ms: float) -> Rung:
    """What arrived at a rate, beside what should have."""
    found = arrived or Arrived(0, 0.0, 0.0)
    missing = rate * seconds - found.count
    held = arrived is not None and not missing and found.p99_ms <= p99_ms
    return Rung(rate, missing, found.p50_ms, found.p99_ms, held)
