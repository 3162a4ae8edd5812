"""Stateful decisions in one worker process, broker included, beside Faust, Quix and no state."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct

from bench.arena import Arena, arena
from bench.contestants.faust import UP
from bench.filling import create_topics, write_requests, write_users
from bench.outcomes import Outcomes, outcomes
from bench.race import Speed, race
from bench.topics import AIOKAFKA, FAUST, QUIX, TOCSIN, Topics
from bench.workload import LOOKBACK, PARTITIONS, USERS

Progress = Callable[[str], None]
COMPARED = 10_000
"""Records on which all must have decided alike."""
CONTESTANTS: dict[str, tuple[Topics, float]] = {
    "tocsin": (TOCSIN, 1),
    "aiokafka": (AIOKAFKA, 1),
    "quix": (QUIX, 3 / 8),
    "faust": (FAUST, 1 / 20),
}
"""Topics of each, and its share of the records."""
LEAST = 500
SETTLED = 2.0
"""Seconds after which Faust, once it says it is up, loses nothing any more."""


class Decide(Struct, frozen=True):
    """What the benchmark found; ratios are ours to theirs, in records a second."""

    records_per_second: dict[str, int]
    cpu_us_per_record: dict[str, float]
    records: dict[str, int]
    ratio_to_stock_faust: float
    ratio_to_quix: float
    share_of_aiokafka: float
    same_decisions_on: int
    deliveries_among_them: int
    faust_store: str = "rocksdb"


async def run(records: int, progress: Progress) -> Decide:
    """Fill a fresh broker and run the contestants one after the other."""
    counts = {name: max(LEAST, int(records * share)) for name, (_, share) in CONTESTANTS.items()}
    async with arena(PARTITIONS) as ready:
        progress(f"Writing {USERS:,} profiles and {max(counts.values()):,} requests")
        now = datetime.now(UTC)
        await create_topics(ready)
        await write_users(ready)
        early = {CONTESTANTS[name][0].requests: counts[name] for name in counts if name != "faust"}
        await write_requests(ready, early, now)
        speeds: dict[str, Speed] = {}
        for name, (topics, _) in CONTESTANTS.items():
            progress(f"{name}: {counts[name]:,} records")
            feed = (UP, partial(_feed_faust, ready, counts, now)) if name == "faust" else None
            speeds[name] = await race(ready, name, topics.delivery_events, counts[name], feed)
        progress("Comparing what they decided")
        compared = min(COMPARED, min(counts.values()) - LOOKBACK)
        decided = await _same(ready, compared)
    return _found(speeds, compared, len(decided.deliveries))


async def _feed_faust(ready: Arena, counts: dict[str, int], now: datetime) -> None:
    await asyncio.sleep(SETTLED)
    await write_requests(ready, {FAUST.requests: counts["faust"]}, now)


def _found(speeds: dict[str, Speed], compared: int, deliveries: int) -> Decide:
    rates = {name: speed.records_per_second for name, speed in speeds.items()}
    ours = rates["tocsin"]
    return Decide(
        records_per_second=rates,
        cpu_us_per_record={name: speed.cpu_us_per_record for name, speed in speeds.items()},
        records={name: speed.records for name, speed in speeds.items()},
        ratio_to_stock_faust=round(ours / rates["faust"], 1),
        ratio_to_quix=round(ours / rates["quix"], 2),
        share_of_aiokafka=round(ours / rates["aiokafka"], 3),
        same_decisions_on=compared,
        deliveries_among_them=deliveries,
    )


async def _same(ready: Arena, compared: int) -> Outcomes:
    ours = await outcomes(ready, TOCSIN, compared)
    for topics in (QUIX, FAUST):
        theirs = await outcomes(ready, topics, compared)
        for what in ("deliveries", "told"):
            odd = getattr(ours, what) ^ getattr(theirs, what)
            if odd:
                raise RuntimeError(
                    f"{topics.deliver} differs from ours in {len(odd)} {what}: {min(odd)!r}"
                )
    return ours
