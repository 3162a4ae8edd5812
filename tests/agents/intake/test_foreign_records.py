"""What other clients write to a company's own topics: transactions, clocks, and kcat's records."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import orjson
import pytest
from aiokafka import ConsumerRecord
from confluent_kafka import Producer

from agents.intake.placed import accepted_at
from agents.intake.source_reading import as_source_record
from pipeline.records.made_record import make_record
from schemas.misplaced import Misplaced
from schemas.topics import CONTACTS, PLACED
from schemas.vocabulary import Reason
from tests.agents.company import Company
from tests.agents.names import unique
from tests.agents.samples import reachable
from tests.agents.stage import Stage

NOW = 1_773_480_389_589


@pytest.fixture
async def company(stage: Stage) -> AsyncIterator[Company]:
    """A company whose topic has three partitions."""
    made = Company(stage)
    await made.create(3)
    yield made


def order(number: int) -> bytes:
    """An order that was shipped; ids are numbers."""
    return orjson.dumps({"order": number, "shop": 3, "customer": 1042, "status": "shipped"})


async def told(stage: Stage) -> list[int]:
    """The orders of which events were written."""
    found = await stage.read(PLACED["router"], Misplaced)
    return [orjson.loads(bytes(each.value))["data"]["order_id"] for each in found]


def test_a_clock_that_tells_seconds_for_milliseconds_is_none() -> None:
    """Such a record would be of January 1970: too late for everybody, and older than all others."""
    record = make_record(ConsumerRecord, "t", 0, 0, NOW // 1000, None, b"")
    assert accepted_at(record, NOW) == NOW
    assert as_source_record(record, NOW).timestamp == NOW


async def test_what_is_left_behind_transactions_does_not_seem_to_wait(
    stage: Stage, company: Company
) -> None:
    """Markers and what was aborted take places, and are no records."""
    async with company.reading():
        name = {"bootstrap.servers": company.kafka, "transactional.id": unique("shop")}
        producer = Producer(name)
        await asyncio.to_thread(producer.init_transactions)
        for number, end in (
            (0, producer.commit_transaction),
            (2, producer.abort_transaction),
            (4, producer.abort_transaction),
        ):
            producer.begin_transaction()
            producer.produce(company.topic, order(number), partition=1)
            await asyncio.to_thread(producer.flush)
            await asyncio.to_thread(end)
        await company.caught_up()
        await company.write(order(6), partition=1)
        await company.caught_up()
    assert await told(stage) == [0, 6]


async def test_what_can_not_be_decided_names_the_company_s_record(
    stage: Stage, company: Company
) -> None:
    """Its dead letter is of a request, of which the company knows nothing."""
    await stage.say(CONTACTS, reachable("1042"))
    async with company.reading():
        await company.write(order(1), partition=2)
        await company.caught_up()
    await stage.work(stage.router, stage.decider)
    (letter,) = await stage.letters()
    assert (letter.role, letter.reason) == ("decider", Reason.RENDER_FAILED)
    assert letter.detail.endswith(f"; made of {company.source}/{company.topic}/2/0")


@pytest.mark.skipif(shutil.which("kcat") is None, reason="there is no kcat on this machine")
async def test_what_kcat_writes_is_read(stage: Stage, company: Company) -> None:
    """Each line is a record, with a key and headers, or without, packed by each codec in turn."""
    ways = [
        ("none", ["-K", "|"], b"k1|" + order(1)),
        ("gzip", ["-H", "x-tenant=acme", "-H", "empty="], order(2)),
        ("lz4", [], order(3)),
        ("snappy", ["-K", "|", "-Z"], b"|" + order(4)),
        ("none", ["-K", "|", "-Z"], b"7|"),
        ("none", ["-p", "2"], order(5)),
    ]
    async with company.reading():
        for codec, more, line in ways:
            kcat = await asyncio.create_subprocess_exec(
                "kcat", "-P", "-b", company.kafka, "-t", company.topic, "-z", codec, *more,
                stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            _, said = await kcat.communicate(line + b"\n")
            assert kcat.returncode == 0, said
        await company.caught_up()
    assert sorted(await told(stage)) == [1, 2, 3, 4, 5]
