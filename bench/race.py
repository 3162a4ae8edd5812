"""Running one contestant to the end of its records, and what that took."""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from bench.arena import Arena
from bench.contestants.__main__ import READY
from embedded.process import Child, tail
from pipeline.errors import Unavailable

ROOT = Path(__file__).parent.parent
SAMPLE_SECONDS = 0.05
PATIENCE = 90.0
"""Seconds without a new output after which a contestant has failed."""


Feed = Callable[[], Awaitable[None]]


class Speed(Struct, frozen=True):
    """What a contestant reached over `records` records."""

    records: int
    records_per_second: int
    cpu_us_per_record: float


class Sample(NamedTuple):
    """How far a contestant was at a moment."""

    records: int
    clock: float
    cpu: float


async def race(
    arena: Arena,
    contestant: str,
    outputs: str,
    records: int,
    feed: tuple[str, Feed] | None = None,
    waiting: int = 0,
    patience: float = PATIENCE,
) -> Speed:
    """Run a contestant until the topic `outputs` holds one record for each of its requests.

    They are there before it starts; or else `feed` writes them when it says these words. Clock
    and CPU time run from the first output seen to the last, so that imports, joining the group
    and restoring state do not count; nor do the first `waiting` outputs. `patience` is after how
    many seconds without an output it has failed.
    """
    log = arena.folder / f"{contestant}.log"
    argv = [sys.executable, "-m", "bench.contestants", contestant, arena.address]
    argv.append(str(arena.folder / f"{contestant}-state"))
    child = Child(f"The contestant {contestant}")
    words, write = feed or (READY, None)
    try:
        await child.start(argv, {"PYTHONPATH": str(ROOT)}, log, lambda: _says(log, words))
        if write is not None:
            await write()
        span = range(waiting, records)
        first, last = await _watch(arena, child, outputs, span, patience, log)
    finally:
        await child.kill()
    done = max(1, last.records - first.records)
    return Speed(
        records=records - waiting,
        records_per_second=round(done / max(last.clock - first.clock, SAMPLE_SECONDS)),
        cpu_us_per_record=round((last.cpu - first.cpu) / done * 1e6, 1),
    )


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
    return Sample(count, time.perf_counter(), _cpu_seconds(child.pid))


async def _says(log: Path, words: str) -> bool:
    return words in tail(log)


def _cpu_seconds(pid: int) -> float:
    """CPU time of a running process, all its threads; 0 where there is no /proc to tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
