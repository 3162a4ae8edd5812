"""How long nobody works on a partition while one of its role's workers is restarted in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec
import pytest

from embedded.kafka import Kafka
from embedded.local_stack import Worker
from pipeline.admin.topic_creation import create_topics
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import start_producer
from pipeline.settings import Settings
from schemas.topics import FOLLOWS, TOPICS
from tests.chaos.conftest import Tell
from tests.chaos.standstill import ends, gaps
from tests.chaos.workers import stop

PARTITIONS = 16
WORKERS = 4
EVERY = 0.05
"""Seconds between two records of a partition."""
LONGEST_GAP = 2.0


@pytest.mark.chaos
async def test_no_partition_waits_for_more_than_two_seconds(tmp_path: Path, tell: Tell) -> None:
    """What a router has handled shows in its changelog, by the broker's clock."""
    async with Kafka(tmp_path / "kafka") as kafka:
        settings = Settings(kafka=kafka.address, partitions=PARTITIONS)
        await create_topics(settings, TOPICS)
        workers = [_worker(kafka, tmp_path / f"worker-{number}") for number in range(WORKERS)]
        for worker in workers:
            await worker.start()
        async with _following(kafka):
            await asyncio.sleep(10)
            begin = await ends(kafka.address, "router", range(PARTITIONS))
            for worker in workers[:2]:
                await stop(worker)
                await worker.start()
                await asyncio.sleep(5)
            longest = await gaps(kafka.address, "router", begin)
        await asyncio.gather(*map(stop, workers))
    tell(f"longest gaps of {PARTITIONS} partitions, two restarts: {sorted(longest.values())}")
    assert len(longest) == PARTITIONS
    assert max(longest.values()) <= LONGEST_GAP


def _worker(kafka: Kafka, folder: Path) -> Worker:
    environment = {
        "TOCSIN_KAFKA": kafka.address,
        "TOCSIN_PARTITIONS": str(PARTITIONS),
        "TOCSIN_DATA_DIR": str(folder / "state"),
    }
    return Worker("router", folder / "logs", environment)


@asynccontextmanager
async def _following(kafka: Kafka) -> AsyncIterator[None]:
    """While the block runs, somebody follows somebody in every partition all the time."""
    names = [f"user-{number}" for number in range(1000)]
    keys = {partition_of(name, PARTITIONS): name for name in names}
    stopping = asyncio.Event()
    producer = await start_producer(kafka.address)

    async def write() -> None:
        for number in count():
            if stopping.is_set():
                return
            at = datetime.now(UTC).isoformat()
            records = {
                partition: {"followee": key, "follower": f"f-{number}", "at": at}
                for partition, key in keys.items()
            }
            await asyncio.gather(
                *(
                    producer.write(
                        FOLLOWS.name,
                        partition,
                        [(keys[partition].encode(), msgspec.json.encode(record))],
                    )
                    for partition, record in records.items()
                )
            )
            await asyncio.sleep(EVERY)

    writing = asyncio.create_task(write())
    try:
        yield
    finally:
        stopping.set()
        await writing
        await producer.stop()
