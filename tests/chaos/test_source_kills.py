"""Who reads a company's own topic is killed again and again: nothing is lost or repeated."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from operator import le, lt
from pathlib import Path

import msgspec
import orjson
import pytest
from aiokafka import ConsumerRecord

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.clock import SystemClock
from pipeline.kafka.topic_reading import read_topic
from pipeline.processing.misplaced import SourcedRecord, as_it_stood
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from pipeline.settings import Settings
from schemas.event import Event
from schemas.topics import DEAD_LETTERS, EVENTS, MISPLACED, PLACED
from tables.moved import without_repeats
from tables.storage.memory_store import MemoryStore
from tables.storage.transaction import Transaction
from tests.agents.company import SHIPPED, Company
from tests.agents.line import line_to
from tests.agents.names import unique
from tests.agents.stage import CATALOGUE, staging
from tests.patience import until_told

pytestmark = pytest.mark.chaos
RECORDS = 4000
KILLS = 4


@asynccontextmanager
async def working(variables: dict[str, str]) -> AsyncIterator[Process]:
    """A worker of the role within the block, which ends it at once."""
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "worker", "intake"), env={**os.environ, **variables}
    )
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGKILL)
        await worker.wait()


async def placed(settings: Settings) -> list[ConsumerRecord]:
    """What stands in the one partition of the placed topic."""
    return [each async for each in read_topic(settings.brokers, PLACED["router"].name)]


async def taken(records: list[ConsumerRecord]) -> dict[int, list[int]]:
    """By partition of the company's topic, the offsets that whoever reads on takes, in order."""
    moved = [as_it_stood(each, {EVENTS.name}, 1) for each in records]
    transaction = Transaction(None, MemoryStore(), Outputs(MemoryLog(SystemClock())))
    found = defaultdict(list)
    for each, _ in without_repeats(transaction, [(each, None) for each in moved]):
        assert isinstance(each, SourcedRecord)
        found[each.origin.partition].append(each.origin.offset)
    return dict(found)


async def test_each_record_is_taken_once_and_in_order_whenever_its_reader_is_killed(
    kafka_with_topics: Kafka, tmp_path: Path
) -> None:
    settings = Settings(kafka=kafka_with_topics.address, partitions=1, prefix=unique("k") + ".")
    await create_topics(settings, [MISPLACED, PLACED["router"], DEAD_LETTERS])
    folder = tmp_path / "catalogue"
    folder.mkdir()
    async with line_to(kafka_with_topics.address) as line, staging(line, tmp_path / "x") as stage:
        company = Company(stage)
        await company.create(4)
    for path in CATALOGUE.glob("*.toml"):
        (folder / path.name).write_text(path.read_text())
    text = SHIPPED.format(name=company.source, topic=company.topic)
    (folder / "source.toml").write_text(text)
    variables = {
        "TOCSIN_KAFKA": settings.kafka,
        "TOCSIN_PREFIX": settings.prefix,
        "TOCSIN_PARTITIONS": "1",
        "TOCSIN_CATALOGUE": str(folder),
        "TOCSIN_DATA_DIR": str(tmp_path / "data"),
    }

    async def are_placed() -> int:
        return len(await placed(settings))

    async def are_taken() -> int:
        return sum(map(len, (await taken(await placed(settings))).values()))

    count = RECORDS // (KILLS + 1)
    for number in range(KILLS + 1):
        before = await are_placed()
        async with working(variables):
            orders = [
                {"order": at, "shop": at % 7, "customer": f"c{at}", "status": "shipped"}
                for at in range(count)
            ]
            await company.write(*orders, keys=[f"{number}-{at}" for at in range(count)])
            if number < KILLS:
                await until_told(are_placed, partial(lt, before))
            else:
                await until_told(are_taken, partial(le, RECORDS), pause=0.1)
    records = await placed(settings)
    found = await taken(records)
    assert set(found) == set(range(4))
    assert sum(map(len, found.values())) == RECORDS
    assert all(offsets == list(range(len(offsets))) for offsets in found.values())
    ids = {_event(each).id for each in records}
    assert len(ids) == RECORDS
    assert len(records) > RECORDS, "no kill came before a commit, so the test shows little"


def _event(record: ConsumerRecord) -> Event:
    value = orjson.loads(record.value)["value"]
    return msgspec.convert(value, Event)
