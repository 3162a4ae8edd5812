"""Running one contestant to the end of its records, and what that took."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from bench.contestants.__main__ import READY
from bench.contestants.equipment import Equipment, reported
from bench.decide.broker import Arena
from bench.pairs import ITSELF, Run
from bench.processor import cpu_seconds, cpu_us_each
from embedded.process import Child, tail
from schemas.errors import Unavailable

ROOT = Path(__file__).parents[2]
SAMPLE_SECONDS = 0.05
PATIENCE = 90.0
"""Seconds without a new output after which a contestant has failed."""
STARTING = 300.0
"""Seconds that a contestant may take to start, which nothing measures."""
BROKER = "broker"


Feed = Callable[[], Awaitable[None]]


class Sample(NamedTuple):
    """How far a contestant was at a moment, and what it and the broker had spent by then."""

    records: int
    clock: float
    cpu: dict[str, float]


def command(arena: Arena, contestant: str) -> list[str]:
    """What starts a contestant, with a folder of its own for its state."""
    argv = [sys.executable, "-m", "bench.contestants", contestant, arena.address]
    return [*argv, str(arena.folder / f"{contestant}-state")]


async def race(
    arena: Arena,
    contestant: str,
    outputs: str,
    records: int,
    feed: tuple[str, Feed] | None = None,
    waiting: int = 0,
    patience: float = PATIENCE,
) -> tuple[Run, Equipment]:
    """Run a contestant until the topic `outputs` holds one record for each of its requests.

    They are there before it starts; or else `feed` writes them when it says these words. Clock
    and CPU time run from the first output seen to the last, so that imports, joining the group
    and restoring state do not count; nor do the first `waiting` outputs. `patience` is after how
    many seconds without an output it has failed.
    """
    log = arena.folder / f"{contestant}.log"
    child = Child(f"The contestant {contestant}")
    words, write = feed or (READY, None)
    try:
        argv, env = command(arena, contestant), {"PYTHONPATH": str(ROOT)}
        await child.start(argv, env, log, lambda: says(log, words), STARTING)
        if write is not None:
            await write()
        span = range(waiting, records)
        first, last = await _watch(arena, child, outputs, span, patience, log)
    finally:
        await child.kill()
    # All outputs may come between two samples: then nothing can be said of how fast they came.
    done = last.records - first.records
    run = Run(
        per_second=done / (last.clock - first.clock) if done else 0.0,
        cpu_us=cpu_us_each(first.cpu, last.cpu, done),
    )
    return run, reported(log.read_text())


async def says(log: Path, words: str) -> bool:
    """Whether these words are among the last lines of a log."""
    return words in tail(log)


async def _watch(
    arena: Arena, child: Child, outputs: str, span: range, patience: float, log: Path
) -> tuple[Sample, Sample]:
    first = last = await _sample(arena, child, outputs)
    while last.records < span.stop:
        await asyncio.sleep(SAMPLE_SECONDS)
        sample = await _sample(arena, child, outputs)
        if sample.records > last.records:
            last = sample
            first = first if first.records > span.start else sample
        elif not child.running or sample.clock - last.clock > patience:
            raise Unavailable(
                f"{child.name} stopped at {last.records} of {span.stop}:\n{tail(log)}"
            )
    return first, last


async def _sample(arena: Arena, child: Child, outputs: str) -> Sample:
    count = await arena.count(outputs)
    cpu = cpu_seconds({ITSELF: child.pid, BROKER: arena.broker})
    return Sample(count, time.perf_counter(), cpu)
