"""A steady load for minutes: what grows that should not."""

import asyncio
import time
from pathlib import Path

from msgspec import Struct

from bench.memory import memory_of
from bench.pairs import Progress
from bench.processor import cpu_seconds, descriptors_of
from bench.whole.kafka_folder import disk_of
from bench.whole.receipts import Latency, Sent, latency_of, took_of
from bench.whole.whole import Whole, loop_ms, whole
from demo.dataset.world import USERS

RATE = 100
MINUTES = 10.0
EVERY = 60.0
WARM_UP = 10.0
FOLDERS = ("kafka", "clickhouse", "state")
"""What of the folder holds data; the rest is logs."""


class Asked(Struct, frozen=True):
    """So many events a second for so many minutes, looked at `every` so many seconds."""

    users: int = USERS
    rate: int = RATE
    minutes: float = MINUTES
    every: float = EVERY
    warm_up: float = WARM_UP


class Look(Struct, frozen=True):
    """One look, so many seconds after the warm-up: bytes, open descriptors and cores by process,
    cores since the look before; bytes on disk by folder."""

    at_s: float
    memory: dict[str, int]
    descriptors: dict[str, int]
    cores: dict[str, float]
    disk: dict[str, int]


class Soak(Struct, frozen=True):
    """All looks, and how long messages took, for each time between two looks, by priority.

    `drift_ms` is by how much the last time's p99 exceeds the first one's.
    """

    rate: int
    seconds: float
    every_s: float
    loop_ms: tuple[float, float]
    late_s: float
    behind_s: float | None
    restarts: int
    looks: list[Look]
    took_ms: list[dict[str, Latency]]
    drift_ms: dict[str, float]


async def run(asked: Asked, progress: Progress) -> Soak:
    """Start everything, load it and look; raises Unavailable."""
    before, seconds = loop_ms(), asked.minutes * 60
    async with whole(asked.users, progress) as at:
        progress(f"{asked.rate:,} events a second for {asked.minutes:g} minutes")
        looking = asyncio.create_task(_look_on(at, asked, progress))
        try:
            loaded = await at.load(asked.rate, asked.warm_up, seconds)
            looks = await looking
        finally:
            looking.cancel()
        sent, received, restarts = await at.read_sent(), at.received(), at.restarts
    took = by_time(sent, received, loaded.since, loaded.until, round(asked.every * 1000))
    return Soak(
        rate=asked.rate,
        seconds=seconds,
        every_s=asked.every,
        loop_ms=(before, loop_ms()),
        late_s=loaded.late,
        behind_s=None if loaded.behind is None else round(loaded.behind, 1),
        restarts=restarts,
        looks=looks,
        took_ms=took,
        drift_ms=drift(took),
    )


def by_time(
    sent: list[Sent], received: dict[str, float], since: int, until: int, every: int
) -> list[dict[str, Latency]]:
    """How long messages took by priority, for each `every` ms from `since`; pure."""
    return [
        {
            priority: latency_of(values)
            for priority, values in took_of(
                sent, received, begin, min(begin + every, until)
            ).items()
        }
        for begin in range(since, until, every)
    ]


def drift(took: list[dict[str, Latency]]) -> dict[str, float]:
    """The last p99 less the first, of each priority that has both."""
    if not took:
        return {}
    first, last = took[0], took[-1]
    both = [priority for priority in first if priority in last]
    return {name: round(last[name].p99_ms - first[name].p99_ms, 1) for name in both}


async def _look_on(at: Whole, asked: Asked, progress: Progress) -> list[Look]:
    await asyncio.sleep(asked.warm_up)
    begin, looks = time.monotonic(), list[Look]()
    spent, then = cpu_seconds(at.pids), begin
    for number in range(round(asked.minutes * 60 / asked.every) + 1):
        await asyncio.sleep(begin + number * asked.every - time.monotonic())
        now, pids = time.monotonic(), at.pids
        cpu = cpu_seconds(pids)
        since = max(0.001, now - then)
        cores = {name: round((cpu[name] - spent.get(name, 0.0)) / since, 3) for name in cpu}
        spent, then = cpu, now
        looks.append(
            Look(
                at_s=round(now - begin, 1),
                memory={name: memory_of(pid) for name, pid in pids.items()},
                descriptors={name: descriptors_of(pid) for name, pid in pids.items()},
                cores=cores if number else dict.fromkeys(cores, 0.0),
                disk=await asyncio.to_thread(_disk, at.house.folder),
            )
        )
        progress(f"{now - begin:.0f} s of {asked.minutes * 60:.0f} s")
    return looks


def _disk(folder: Path) -> dict[str, int]:
    return {name: disk_of(folder / name) for name in FOLDERS}
