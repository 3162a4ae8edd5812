"""Stateful decisions in one worker process, broker included, beside Faust, Quix and no state."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from msgspec import Struct

from bench.contestants.equipment import Equipment, check_fair
from bench.contestants.faust import UP
from bench.decide.broker import Arena, arena
from bench.decide.filling import create_topics, write_requests, write_users
from bench.decide.outcomes import Readable, difference, outcomes
from bench.decide.race import BROKER, race
from bench.decide.topics import AIOKAFKA, FAUST, QUIX, TOCSIN, Topics
from bench.decide.workload import LOOKBACK, PARTITIONS, USERS
from bench.pairs import (
    ITSELF,
    Progress,
    Ratio,
    Rounds,
    Run,
    Turn,
    cpu_ratio,
    middle,
    speed_ratio,
    take_turns,
)

OURS = "tocsin"
COMPARED = 10_000
"""Records on which all must have decided alike."""


class Contestant(NamedTuple):
    """Topics of one, and its share of the records; one that `decides` has outputs to compare."""

    topics: Topics
    share: float
    decides: bool = True


CONTESTANTS = {
    OURS: Contestant(TOCSIN, 1),
    "aiokafka": Contestant(AIOKAFKA, 1, decides=False),
    "quix": Contestant(QUIX, 3 / 8),
    "faust": Contestant(FAUST, 1 / 20),
}
LEAST = 500
SETTLED = 2.0
"""Seconds after which Faust, once it says it is up, loses nothing any more."""


class Decide(Struct, frozen=True):
    """What the benchmark found: medians over the rounds.

    `ratios` are ours to theirs in records a second, `cpu_ratios` theirs to ours in processor time
    a record; the three ratios before them are their medians.
    """

    records_per_second: dict[str, int]
    cpu_us_per_record: dict[str, float]
    broker_cpu_us_per_record: dict[str, float]
    records: dict[str, int]
    ratio_to_stock_faust: float
    ratio_to_quix: float
    share_of_aiokafka: float
    ratios: dict[str, Ratio]
    cpu_ratios: dict[str, Ratio]
    equipment: dict[str, Equipment]
    pairs: int
    same_decisions_on: int
    deliveries_among_them: int
    faust_store: str = "rocksdb"


async def run(records: int, pairs: int, progress: Progress) -> Decide:
    """Rounds on a fresh broker each, in which all must have decided alike."""
    counts = {name: max(LEAST, int(records * each.share)) for name, each in CONTESTANTS.items()}
    compared = min(COMPARED, min(counts.values()) - LOOKBACK)
    equipment: dict[str, Equipment] = {}
    deliveries = 0

    @asynccontextmanager
    async def open_round(number: int) -> AsyncIterator[Turn]:
        nonlocal deliveries
        async with arena(PARTITIONS) as ready:
            progress(f"Writing {USERS:,} profiles and {max(counts.values()):,} requests")
            now = datetime.now(UTC)
            await _fill(ready, counts, now)

            async def turn(name: str) -> Run:
                feed = (UP, partial(_feed_faust, ready, counts, now)) if name == "faust" else None
                outputs = CONTESTANTS[name].topics.delivery_events
                reached, equipment[name] = await race(ready, name, outputs, counts[name], feed)
                return reached

            yield turn
            progress("Comparing what they decided")
            check_fair(equipment, OURS)
            deliveries = await check_alike(ready, compared)

    rounds = await take_turns(list(CONTESTANTS), pairs, open_round, progress)
    return _found(rounds, counts, equipment, compared, deliveries)


async def check_alike(ready: Readable, compared: int) -> int:
    """How many deliveries ours made on the first records; RuntimeError if another's differ."""
    ours = await outcomes(ready, TOCSIN, compared)
    for name, contestant in CONTESTANTS.items():
        if contestant.decides and name != OURS:
            odd = difference(ours, await outcomes(ready, contestant.topics, compared))
            if odd is not None:
                raise RuntimeError(f"{name} did not decide as ours did: {odd}")
    return sum(map(len, ours.deliveries.values()))


async def _fill(ready: Arena, counts: Mapping[str, int], now: datetime) -> None:
    await create_topics(ready)
    await write_users(ready)
    early = {CONTESTANTS[name].topics.requests: counts[name] for name in counts if name != "faust"}
    await write_requests(ready, early, now)


async def _feed_faust(ready: Arena, counts: Mapping[str, int], now: datetime) -> None:
    await asyncio.sleep(SETTLED)
    await write_requests(ready, {FAUST.requests: counts["faust"]}, now)


def _found(
    rounds: Rounds,
    counts: dict[str, int],
    equipment: dict[str, Equipment],
    compared: int,
    deliveries: int,
) -> Decide:
    reached = {name: middle(rounds, name) for name in CONTESTANTS}
    others = [name for name in CONTESTANTS if name != OURS]
    ratios = {name: speed_ratio(rounds, OURS, name) for name in others}
    return Decide(
        records_per_second={name: round(run.per_second) for name, run in reached.items()},
        cpu_us_per_record={name: round(run.cpu_us[ITSELF], 1) for name, run in reached.items()},
        broker_cpu_us_per_record={
            name: round(run.cpu_us[BROKER], 1) for name, run in reached.items()
        },
        records=counts,
        ratio_to_stock_faust=ratios["faust"].median,
        ratio_to_quix=ratios["quix"].median,
        share_of_aiokafka=ratios["aiokafka"].median,
        ratios=ratios,
        cpu_ratios={name: cpu_ratio(rounds, OURS, name) for name in others},
        equipment=equipment,
        pairs=len(rounds),
        same_decisions_on=compared,
        deliveries_among_them=deliveries,
    )
