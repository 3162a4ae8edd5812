"""Delivery events into ClickHouse: one worker's rate beside a bare insert, and how fresh they are.

ClickHouse is the embedded engine on this machine, so its own work is in every figure.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import clickhouse_connect
import msgspec
from msgspec import Struct

from analytics.clickhouse import COLUMNS, ClickHouse, columns_of
from bench.happenings import TENANT, happenings
from embedded.house import House
from pipeline.outputs import Outputs
from pipeline.producer import Producer, start_producer
from pipeline.topics import DELIVERY_EVENTS
from schemas.delivery_event import DeliveryEvent

Progress = Callable[[str], None]
ROLE = "analytics"
BARE_ROWS = 100_000
"""Rows of one bare insert: as large as ClickHouse advises."""
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
    """What the benchmark found: rows a second, and milliseconds from Kafka to the answer of a
    query, at `paced_per_second` rows a second."""

    rows: int
    rows_per_second: int
    bare_per_second: int
    share_of_bare: float
    paced_per_second: int
    fresh_p50_ms: int
    fresh_p99_ms: int


async def run(rows: int, progress: Progress) -> AnalyticsFound:
    """Fill the topic while the worker is away, let it catch up, then pace."""
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as folder:
        house = House(Path(folder), roles=(ROLE,))
        progress("Kafka and ClickHouse are starting")
        await house.start()
        producer = await start_producer(house.kafka.address)
        clickhouse = ClickHouse(house.settings)
        try:
            events = list(happenings(rows))
            progress(f"A bare insert of {rows:,} rows")
            bare = await _bare(house, events)
            await _empty(clickhouse)
            progress(f"{rows:,} rows are in Kafka, and the worker begins")
            ours = await _catch_up(house, producer, clickhouse, events)
            paced = round(ours * PACED_SHARE)
            progress(f"{paced:,} rows a second, with a probe among them every {PROBE_EVERY:g} s")
            fresh = await _freshness(producer, clickhouse, paced, house.settings.partitions)
        finally:
            await clickhouse.close()
            await producer.stop()
            await house.stop()
    return AnalyticsFound(
        rows=rows,
        rows_per_second=ours,
        bare_per_second=bare,
        share_of_bare=round(ours / bare, 2),
        paced_per_second=paced,
        fresh_p50_ms=fresh[len(fresh) // 2],
        fresh_p99_ms=fresh[int(len(fresh) * 0.99)],
    )


async def _bare(house: House, events: list[DeliveryEvent]) -> int:
    """Rows a second of the client's own insert, as it comes, into the same tables."""
    client = await clickhouse_connect.get_async_client(
        host=house.clickhouse.host, port=house.clickhouse.port, autogenerate_session_id=False
    )
    begin = time.perf_counter()
    for start in range(0, len(events), BARE_ROWS):
        columns = columns_of(events[start : start + BARE_ROWS])
        await client.insert("delivery_events", columns, column_names=COLUMNS, column_oriented=True)
    rate = round(len(events) / (time.perf_counter() - begin))
    await client.close()
    return rate


async def _empty(clickhouse: ClickHouse) -> None:
    for table in ("delivery_events", "notification_state", "by_minute", "by_hour"):
        await clickhouse.command(f"TRUNCATE TABLE {table}")


async def _catch_up(
    house: House, producer: Producer, clickhouse: ClickHouse, events: list[DeliveryEvent]
) -> int:
    await house.workers[ROLE].stop()
    for start in range(0, len(events), BLOCK):
        await _write(producer, events[start : start + BLOCK], house.settings.partitions)
    await house.workers[ROLE].start()
    first = last = (0, time.perf_counter())
    end = time.perf_counter() + WITHIN
    while last[0] < len(events):
        await asyncio.sleep(LOOK_EVERY)
        ((count,),) = await clickhouse.query(COUNT)
        now = (count, time.perf_counter())
        first, last = (now if not first[0] else first), now
        if now[1] > end:
            raise RuntimeError(f"{count:,} of {len(events):,} rows are in ClickHouse")
    return round((last[0] - first[0]) / (last[1] - first[1]))


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
