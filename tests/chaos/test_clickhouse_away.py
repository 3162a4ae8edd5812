"""ClickHouse is away for long: rows wait in Kafka, and the worker holds what has room."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from analytics.clickhouse import ClickHouse
from analytics.reconcile import reconcile
from bench.analytics.synthetic_events import happenings
from bench.memory import memory_of
from embedded.local_stack import LocalStack
from pipeline.catalogue_folder import read_catalogue
from pipeline.producing.outputs import Outputs
from pipeline.producing.producer import Producer, start_producer
from schemas.delivery_event import DeliveryEvent
from schemas.topics import DELIVERY_EVENTS
from tests.chaos.conftest import Tell

MINUTES = float(os.environ.get("AWAY_MINUTES", "1"))
ROWS = 500 if MINUTES >= 10 else 4000
"""A second. In either case far more wait in the end than the worker has room for."""
ROOM = 4 << 20
"""Bytes in flight, of which analytics takes four times as many."""
FILLED = 0.25
"""Of the time away, after which the room is full, and memory must not grow any more."""
SLACK = 24 << 20
"""Bytes by which a Python process may move about."""
READ = 16
"""Times `ROOM` for what is read of what has room: a row and its columns take three to four times
what they take in Kafka."""
ROLE = "analytics"
COUNT = "SELECT uniqExact(id) FROM delivery_events"
encode = msgspec.json.Encoder().encode


@dataclass
class Rows:
    """Delivery events on their way into the topic, `ROWS` a second."""

    producer: Producer
    partitions: int
    written: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def flow(self) -> None:
        """Write until stopped; what is counted as written is acknowledged."""
        events: Iterator[DeliveryEvent] = happenings(int(ROWS * (MINUTES * 60 + 300)), "away-")
        due = time.monotonic()
        while not self.stopping.is_set():
            outputs = Outputs(self.producer)
            batch = list(islice(events, ROWS // 2))
            for number, event in enumerate(batch):
                outputs.add(DELIVERY_EVENTS, number % self.partitions, None, encode(event))
            await outputs.flush()
            self.written += len(batch)
            due += 0.5
            await asyncio.sleep(max(0.0, due - time.monotonic()))


@pytest.fixture
async def away(tmp_path: Path) -> AsyncIterator[LocalStack]:
    """A house with nobody in it but the analytics worker."""
    async with LocalStack(tmp_path, roles=(ROLE,), bytes_in_flight=ROOM) as house:
        yield house


@pytest.mark.chaos
async def test_rows_wait_and_memory_is_bounded(away: LocalStack, tell: Tell) -> None:
    """An hour of it: AWAY_MINUTES=60."""
    begin = time.time_ns() // 1_000_000
    worker, clickhouse = away.workers[ROLE], ClickHouse(away.settings)
    producer = await start_producer(away.kafka.address)
    rows = Rows(producer, away.settings.partitions)
    flowing = asyncio.create_task(rows.flow())
    try:
        while not await _count(clickhouse):  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.1)
        before, pid = memory_of(worker.pid), worker.pid
        await away.clickhouse.stop()
        sizes = await _sizes(pid, MINUTES * 60)
        waited = rows.written
        await away.clickhouse.start()
        back = time.monotonic()
        await asyncio.sleep(2)
        rows.stopping.set()
        await flowing
        catching_up = [memory_of(pid)]
        while await _count(clickhouse) < rows.written:
            assert time.monotonic() - back < 60 + MINUTES * 20
            await asyncio.sleep(0.5)
            catching_up.append(memory_of(pid))
        took = time.monotonic() - back
        settings, end = away.settings, time.time_ns() // 1_000_000
        catalogue = read_catalogue(settings.catalogue)
        found = await reconcile(clickhouse, settings.kafka, catalogue, begin, end, None)
    finally:
        flowing.cancel()
        await producer.stop()
        await clickhouse.close()
    settled = sizes[int(len(sizes) * FILLED) :]
    tell(
        f"away {MINUTES:g} min, {waited:,} rows behind; MiB resident: {before >> 20} before, "
        f"{max(sizes) >> 20} at most while away, {max(catching_up) >> 20} while catching up, "
        f"which took {took:.0f} s"
    )
    assert found.is_right, found
    assert found.findings[0].claimed == rows.written
    assert found.repeated == 0
    assert (worker.restarts, worker.pid) == (0, pid)
    assert max(settled) - settled[0] < SLACK
    assert max(catching_up) - max(sizes) < SLACK + READ * ROOM


async def _count(clickhouse: ClickHouse) -> int:
    ((count,),) = await clickhouse.query(COUNT)
    return int(count)


async def _sizes(process: int, seconds: float) -> list[int]:
    """The process's memory, looked at twice a second."""
    end = time.monotonic() + seconds
    sizes = []
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        sizes.append(memory_of(process))
    return sizes
