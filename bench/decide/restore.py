"""Restoring a partition's state from its changelog, beside stock Faust's recovery."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct

from bench.contestants.equipment import Equipment, check_fair, reported
from bench.contestants.recovery import WORDS, recovered
from bench.decide.broker import Arena, arena
from bench.decide.race import ROOT, command, says
from bench.decide.topics import faust_changelog
from bench.decide.workload import profile, state_key, user_name
from bench.pairs import (
    ITSELF,
    Progress,
    Ratio,
    Run,
    Turn,
    cpu_ratio,
    middle,
    speed_ratio,
    take_turns,
)
from embedded.process import Child
from policy.dedupe import NO_MARKS, Mark, remember
from policy.limits.rate_limit import Window
from policy.user.ledger import Ledger
from schemas.topics import changelog
from tables.users import LEDGERS, PROFILES

Entry = tuple[bytes, bytes]
OURS, FAUST = "tocsin_recovery", "faust_recovery"
DECIDER = changelog("decider")
FAUST_SHARE = 1 / 20
WITHIN = 600.0
"""Seconds that a recovery may take."""


class Restore(Struct, frozen=True):
    """What the benchmark found: medians over the rounds.

    `interval` is of ours to Faust's in records a second, of which `ratio` is the median, and
    `cpu_ratio` of Faust's to ours in processor time a record.
    """

    records_per_second: int
    stock_faust: int
    ratio: float
    interval: Ratio
    cpu_ratio: Ratio
    cpu_us_per_record: float
    stock_faust_cpu_us_per_record: float
    records: int
    stock_faust_records: int
    pairs: int
    equipment: dict[str, Equipment]


async def run(records: int, pairs: int, progress: Progress) -> Restore:
    """Rounds on a fresh broker each: write both changelogs, and restore from an empty folder."""
    counts = {OURS: records, FAUST: max(100, int(records * FAUST_SHARE))}
    equipment: dict[str, Equipment] = {}

    @asynccontextmanager
    async def open_round(number: int) -> AsyncIterator[Turn]:
        async with arena(1) as ready:
            progress(f"Writing {records:,} changelog records")
            await _fill(ready, counts)

            async def turn(name: str) -> Run:
                reached, equipment[name] = await _recover(ready, name, counts[name])
                return reached

            yield turn
            check_fair(equipment, OURS)

    rounds = await take_turns((OURS, FAUST), pairs, open_round, progress)
    ours, theirs = middle(rounds, OURS), middle(rounds, FAUST)
    ratio = speed_ratio(rounds, OURS, FAUST)
    return Restore(
        records_per_second=round(ours.per_second),
        stock_faust=round(theirs.per_second),
        ratio=ratio.median,
        interval=ratio,
        cpu_ratio=cpu_ratio(rounds, OURS, FAUST),
        cpu_us_per_record=round(ours.cpu_us[ITSELF], 1),
        stock_faust_cpu_us_per_record=round(theirs.cpu_us[ITSELF], 1),
        records=counts[OURS],
        stock_faust_records=counts[FAUST],
        pairs=pairs,
        equipment=equipment,
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


async def _fill(ready: Arena, counts: dict[str, int]) -> None:
    faust_topic = msgspec.structs.replace(DECIDER, name=faust_changelog("profiles"))
    await ready.create(DECIDER, faust_topic, "faust-requests")
    await ready.producer.open(DECIDER.name, 0)
    await ready.write(DECIDER.name, 0, state(counts[OURS]))
    await ready.write(faust_topic.name, 0, state(counts[FAUST]))


async def _recover(ready: Arena, name: str, records: int) -> tuple[Run, Equipment]:
    log = ready.folder / f"{name}.log"
    child = Child(f"The contestant {name}")
    env = {"PYTHONPATH": str(ROOT)}
    try:
        await child.start(command(ready, name), env, log, lambda: says(log, WORDS), within=WITHIN)
    finally:
        await child.kill()
    found = recovered(log.read_text())
    if found.kept != records:
        raise RuntimeError(f"{name}: {found.kept} of {records} records are in the state")
    cpu = {ITSELF: found.cpu_seconds / records * 1e6}
    return Run(records / found.seconds, cpu), reported(log.read_text())
