"""Delivery events into ClickHouse: one worker's rate beside a bare insert, and how fresh they are.

ClickHouse is the embedded engine on this machine, so its own work is in every figure. Both insert
the same rows into empty tables, in inserts of the same size with the same settings and the client's
own compression, and both are measured alike: by what a query counts, once the first rows are there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
from msgspec import Struct

from agents.analytics import ROWS as INSERTED
from analytics.clickhouse import ClickHouse
from bench.analytics.stored import TABLES, bytes_per_event
from bench.analytics.synthetic_events import TENANT, happenings
from bench.module import line_of, running, tell
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
from bench.processor import cpu_seconds, cpu_us_each
from embedded.local_stack import LocalStack
from pipeline.process.gc_tuning import tune_collector
from pipeline.producing.outputs import Outputs
from pipeline.producing.producer import Producer, start_producer
from schemas.delivery_event import DeliveryEvent
from schemas.topics import DELIVERY_EVENTS

ROLE = "analytics"
OURS, BARE = "ours", "bare"
ENGINE = "clickhouse"
WARMING = 2 * INSERTED
"""Rows that each contestant inserts first in each of its runs, unmeasured."""
BLOCK = 50_000
PROBES = 500
PROBE_EVERY = 0.06
PACED_SHARE = 0.3
"""Of the highest rate, while freshness is measured."""
LOOK_EVERY = 0.05
WITHIN = 300.0
COUNT = "SELECT count() FROM delivery_events"
FOUND = """SELECT notification_id FROM delivery_events
WHERE tenant = {t:String} AND notification_id IN {n:Array(String)}"""
encode = msgspec.json.Encoder().encode


class AnalyticsFound(Struct, frozen=True):
    """What the benchmark found: rows a second, medians over the rounds, and milliseconds from
    Kafka to the answer of a query, at `paced_per_second` rows a second.

    `interval` is of ours to the bare insert's, of which `share_of_bare` is the median. ClickHouse
    bounds both, so what each process spends on a row stands beside it: `cpu_us_per_row` and
    `bare_cpu_us_per_row`, each by process, and `cpu_ratio` of the bare inserter's to the worker's,
    which reads from Kafka and decodes as well. `stored_bytes_per_row` is by table, of the rows of
    the last round, merged.
    """

    rows: int
    rows_per_second: int
    bare_per_second: int
    share_of_bare: float
    interval: Ratio
    cpu_us_per_row: dict[str, float]
    bare_cpu_us_per_row: dict[str, float]
    cpu_ratio: Ratio
    pairs: int
    paced_per_second: int
    fresh_p50_ms: int
    fresh_p99_ms: int
    stored_bytes_per_row: dict[str, float]


class Rows(NamedTuple):
    """The rows of one round, and what they are made from."""

    name: str
    end: int
    events: list[DeliveryEvent]


class Setting(NamedTuple):
    """What both contestants work with."""

    house: LocalStack
    producer: Producer
    clickhouse: ClickHouse


async def run(rows: int, pairs: int, progress: Progress) -> AnalyticsFound:
    """Have both insert so many rows in turn, then pace the worker."""
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
        house = LocalStack(Path(folder), roles=(ROLE,))
        progress("Kafka and ClickHouse are starting")
        await house.start()
        producer = await start_producer(house.kafka.address)
        clickhouse = ClickHouse(house.settings)
        setting = Setting(house, producer, clickhouse)
        # As our workers do.
        tune_collector()
        try:

            @asynccontextmanager
            async def open_round(number: int) -> AsyncIterator[Turn]:
                name, end = f"{number}-", time.time_ns() // 1_000_000
                each = Rows(name, end, list(happenings(WARMING + rows, name, end)))

                async def turn(name: str) -> Run:
                    await _empty(clickhouse)
                    contestant = _ours if name == OURS else _bare
                    return await contestant(setting, each)

                yield turn

            rounds = await take_turns((OURS, BARE), pairs, open_round, progress)
            ours, bare = middle(rounds, OURS), middle(rounds, BARE)
            stored = await bytes_per_event(clickhouse, TABLES)
            paced = round(ours.per_second * PACED_SHARE)
            progress(f"{paced:,} rows a second, with a probe among them every {PROBE_EVERY:g} s")
            fresh = await _freshness(producer, clickhouse, paced, house.settings.partitions)
        finally:
            await clickhouse.close()
            await producer.stop()
            await house.stop()
    ratio = speed_ratio(rounds, OURS, BARE)
    return AnalyticsFound(
        rows=rows,
        rows_per_second=round(ours.per_second),
        bare_per_second=round(bare.per_second),
        share_of_bare=ratio.median,
        interval=ratio,
        cpu_us_per_row=ours.cpu_us,
        bare_cpu_us_per_row=bare.cpu_us,
        cpu_ratio=cpu_ratio(rounds, OURS, BARE),
        pairs=pairs,
        paced_per_second=paced,
        fresh_p50_ms=fresh[len(fresh) // 2],
        fresh_p99_ms=fresh[int(len(fresh) * 0.99)],
        stored_bytes_per_row=stored,
    )


async def _ours(setting: Setting, rows: Rows) -> Run:
    """The worker, with all rows in Kafka before it starts."""
    worker, partitions = setting.house.workers[ROLE], setting.house.settings.partitions
    await worker.stop()
    for start in range(0, len(rows.events), BLOCK):
        await _write(setting.producer, rows.events[start : start + BLOCK], partitions)
    await worker.start()
    return await _measure(setting, worker.pid, len(rows.events))


async def _bare(setting: Setting, rows: Rows) -> Run:
    """The client's own insert, one after the other, from a process that does nothing else."""
    server = setting.house.clickhouse
    told = (server.host, server.port, len(rows.events), rows.name, rows.end)
    async with running("bench.analytics.bare_insert", *told) as inserter:
        await line_of(inserter)
        tell(inserter, b"go\n")
        return await _measure(setting, inserter.pid, len(rows.events))


async def _measure(setting: Setting, inserter: int, rows: int) -> Run:
    """What became countable from the end of warming up to the last row."""
    pids = {ITSELF: inserter, ENGINE: setting.house.clickhouse.pid}
    first = last = (0, time.perf_counter(), cpu_seconds(pids))
    end = time.perf_counter() + WITHIN
    while last[0] < rows:
        await asyncio.sleep(LOOK_EVERY)
        ((count,),) = await setting.clickhouse.query(COUNT)
        now = (count, time.perf_counter(), cpu_seconds(pids))
        first, last = (now if first[0] < WARMING else first), now
        if now[1] > end:
            raise RuntimeError(f"{count:,} of {rows:,} rows are in ClickHouse")
    done = last[0] - first[0]
    if not done:
        raise RuntimeError("All rows came with one insert: there are too few to measure.")
    return Run(done / (last[1] - first[1]), cpu_us_each(first[2], last[2], done))


async def _empty(clickhouse: ClickHouse) -> None:
    for table in TABLES:
        await clickhouse.command(f"TRUNCATE TABLE {table}")


async def _write(
    producer: Producer, events: list[DeliveryEvent], partitions: int, first: int = 0
) -> None:
    outputs = Outputs(producer)
    for number, event in enumerate(events, first):
        outputs.add(DELIVERY_EVENTS, number % partitions, None, encode(event))
    await outputs.flush()


async def _freshness(
    producer: Producer, clickhouse: ClickHouse, paced: int, partitions: int
) -> list[int]:
    """Milliseconds until each probe was found, in order of size."""
    ended = asyncio.Event()
    written: dict[str, float] = {}
    async with asyncio.TaskGroup() as group:
        group.create_task(_load(producer, paced, partitions, ended))
        looking = group.create_task(_look(clickhouse, written))
        for number in range(PROBES):
            (probe,) = _now(happenings(1, f"probe-{number}-"), number)
            written[probe.notification_id] = time.perf_counter()
            await _write(producer, [probe], partitions, number)
            await asyncio.sleep(PROBE_EVERY)
        found = await looking
        ended.set()
    return sorted(found)


async def _look(clickhouse: ClickHouse, written: Mapping[str, float]) -> list[int]:
    """Milliseconds from when each probe was written until a query found it."""
    found: dict[str, int] = {}
    while len(found) < PROBES:
        await asyncio.sleep(LOOK_EVERY)
        asked = {"t": TENANT, "n": [name for name in written if name not in found]}
        for (name,) in await clickhouse.query(FOUND, asked):
            found[name] = round((time.perf_counter() - written[name]) * 1000)
    return list(found.values())


async def _load(producer: Producer, paced: int, partitions: int, ended: asyncio.Event) -> None:
    """So many rows a second, in tenths of seconds."""
    batch = list(happenings(paced // 10, "load-"))
    due = time.perf_counter()
    turn = 0
    while not ended.is_set():
        turn += 1
        await _write(producer, list(_now(batch, turn)), partitions)
        due += 0.1
        await asyncio.sleep(max(0, due - time.perf_counter()))


def _now(events: Iterable[DeliveryEvent], turn: int) -> Iterator[DeliveryEvent]:
    """Others of the kind, which happen at this moment: as they do where freshness matters."""
    now = time.time_ns() // 1_000_000
    for event in events:
        yield msgspec.structs.replace(event, id=f"{event.id}-{turn}", at=now, occurred_at=now)
