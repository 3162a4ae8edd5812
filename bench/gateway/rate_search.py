"""The highest rate at which something still arrives in time."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from bench.gateway.sockets import Arrived

HIGHEST = 64_000
HALVINGS = 3
"""Of the gap between the last rate that held and the first that did not: it ends at an eighth."""
TRIES = 2
"""A machine that did something else for a moment must not decide it."""
TRIES_BESIDE_OTHERS = 3
"""Nor one that is shared; but where others never give way, the benchmark must still end soon."""
TRIES_OF_ONE = 3
"""Where there is nothing to be held, as it sets what is to be held."""
BUSY = 0.1
"""Share of the machine from which on others count as in the way."""


class Measured(Struct, frozen=True):
    """What arrived, None where so many could not even be sent; and what others took meanwhile."""

    arrived: Arrived | None
    elsewhere: float = 0.0


Measure = Callable[[int, int], Awaitable[Measured]]
"""At a rate, for so many seconds."""


class Rung(Struct, frozen=True):
    """One rate that was tried, whether all arrived in time, and what others took meanwhile."""

    messages_per_second: int
    missing: int
    p50_ms: float
    p99_ms: float
    held: bool
    elsewhere: float


async def climb(measure: Measure, lowest: int, seconds: int, p99_ms: float) -> list[Rung]:
    """Try rates, each for so many seconds, twice the last until one does not hold, then between."""
    rungs: list[Rung] = []
    held, broke, rate = 0, 0, lowest
    while rate <= HIGHEST and not broke:
        rungs.append(await step(measure, rate, seconds, p99_ms))
        held, broke = (rate, 0) if rungs[-1].held else (held, rate)
        rate *= 2
    for _ in range(HALVINGS if held and broke else 0):
        rate = (held + broke) // 2
        rungs.append(await step(measure, rate, seconds, p99_ms))
        held, broke = (rate, broke) if rungs[-1].held else (held, rate)
    return rungs


def highest(rungs: list[Rung]) -> Rung | None:
    """The highest rate that held, if one did."""
    held = [rung for rung in rungs if rung.held]
    return max(held, key=lambda rung: rung.messages_per_second, default=None)


async def calmest(measure: Measure, rate: int, seconds: int) -> Measured:
    """What arrives at a rate, measured again while others are in the way; the least disturbed."""
    tried = [await measure(rate, seconds)]
    while tried[-1].elsewhere > BUSY and len(tried) < TRIES_OF_ONE:
        tried.append(await measure(rate, seconds))
    return min(tried, key=lambda measured: measured.elsewhere)


async def step(measure: Measure, rate: int, seconds: int, p99_ms: float) -> Rung:
    """Try one rate, again if it does not hold; of what did not, the best p99 is told."""
    tried: list[Rung] = []
    while len(tried) < TRIES or (
        len(tried) < TRIES_BESIDE_OTHERS and min(rung.elsewhere for rung in tried) > BUSY
    ):
        tried.append(_rung(await measure(rate, seconds), rate, seconds, p99_ms))
        if tried[-1].held:
            return tried[-1]
    return min(tried, key=lambda rung: (rung.missing, rung.p99_ms))


def _rung(measured: Measured, rate: int, seconds: int, p99_ms: float) -> Rung:
    found = measured.arrived or Arrived(0, 0.0, 0.0)
    missing = rate * seconds - found.count
    held = measured.arrived is not None and not missing and found.p99_ms <= p99_ms
    return Rung(rate, missing, found.p50_ms, found.p99_ms, held, measured.elsewhere)
