"""Restoring a partition's state from its changelog, beside stock Faust's recovery."""

import sys
import time
from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from bench.arena import Arena, arena
from bench.contestants.faust_recovery import RECOVERED
from bench.race import ROOT
from bench.topics import faust_changelog
from bench.workload import profile, state_key, user_name
from embedded.process import Child, tail
from pipeline.topics import changelog
from policy.dedupe import NO_MARKS, Mark, remember
from policy.rate_limit import Window
from policy.user.ledger import Ledger
from tables.followers import FOLLOWERS
from tables.restore import Changelog
from tables.store import PartitionStore
from tables.table import checker
from tables.users import LEDGERS, PROFILES

Progress = Callable[[str], None]
Entry = tuple[bytes, bytes]
DECIDER = changelog("decider")
FAUST_SHARE = 1 / 20


class Restore(Struct, frozen=True):
    """What the benchmark found; `ratio` is ours to Faust's."""

    records_per_second: int
    stock_faust: int
    ratio: float
    cpu_us_per_record: float
    records: int
    stock_faust_records: int


async def run(records: int, progress: Progress) -> Restore:
    """Write both changelogs to a fresh broker and restore from an empty folder."""
    few = max(100, int(records * FAUST_SHARE))
    async with arena(1) as ready:
        progress(f"Writing {records:,} changelog records")
        faust_topic = msgspec.structs.replace(DECIDER, name=faust_changelog("profiles"))
        await ready.create(DECIDER, faust_topic, "faust-requests")
        await ready.write(DECIDER.name, 0, state(records))
        await ready.write(faust_topic.name, 0, state(few))
        progress("Tocsin restores")
        ours, cpu = await _ours(ready, records)
        progress(f"Faust recovers {few:,}")
        theirs = await _faust(ready, few)
    return Restore(
        records_per_second=round(ours),
        stock_faust=round(theirs),
        ratio=round(ours / theirs, 1),
        cpu_us_per_record=round(cpu * 1e6, 1),
        records=records,
        stock_faust_records=few,
    )


def state(records: int) -> Iterator[Entry]:
    """A profile and a ledger of one user after the other, as the decider stores them."""
    for number in range(records):
        user = number // 2
        key = state_key(user_name(user))
        if number % 2:
            yield LEDGERS.prefix + key, LEDGERS.encode(_ledger(user))
        else:
            yield PROFILES.prefix + key, PROFILES.encode(profile(user))


def _ledger(user: int) -> Ledger:
    times = tuple(1_790_000_000_000 + step * 600_000 for step in range(1 + user % 5))
    marks = NO_MARKS
    for step, at in enumerate(times):
        mark = Mark(user % 8, user * 8 + step, at, 24, f"{user:016x}")
        marks = remember(marks, (user << 8 | step).to_bytes(8, "big"), mark)
    return Ledger(marks, {"push": Window(3600, times)})


async def _ours(ready: Arena, records: int) -> tuple[float, float]:
    """Records a second, and seconds of CPU time a record."""
    source = Changelog(ready.address, DECIDER.name, 0, checker(PROFILES, LEDGERS, FOLLOWERS))
    store = PartitionStore(ready.folder / "state", source, ready.producer)
    begin, cpu = time.perf_counter(), time.process_time()
    await store.restore()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    kept = sum(1 for prefix in (PROFILES.prefix, LEDGERS.prefix) for _ in store.scan(prefix))
    store.close()
    if kept != records:
        raise RuntimeError(f"{kept} of {records} records are in the state")
    return records / seconds, cpu / records


async def _faust(ready: Arena, records: int) -> float:
    log = ready.folder / "faust_recovery.log"
    argv = [sys.executable, "-m", "bench.contestants", "faust_recovery", ready.address]
    argv.append(str(ready.folder / "faust-state"))
    child = Child("Faust's recovery")

    async def recovered() -> bool:
        return RECOVERED in tail(log)

    try:
        await child.start(argv, {"PYTHONPATH": str(ROOT)}, log, recovered, within=600)
    finally:
        await child.kill()
    line = next(line for line in log.read_text().splitlines() if line.startswith(RECOVERED))
    return records / float(line.removeprefix(RECOVERED))
