"""A source's topics, as they come, grow and go, by whatever prefix ours have."""

from typing import Any

import msgspec
import pytest

from agents.intake.sources import Sources
from pipeline.admin.topic_creation import create_topics
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.kafka.clients import administrator
from pipeline.kafka.topic_reading import read_topic
from pipeline.process.runtime import Runtime
from pipeline.producing.producer import start_producer
from pipeline.settings import Settings
from schemas.misplaced import Misplaced
from schemas.request import Request
from schemas.topics import MISPLACED, PLACED, is_ours
from tests.agents.company import Company
from tests.agents.intake.test_sources import NEWEST, ORDERS, order, placed, said
from tests.agents.intake.test_sources import company as company
from tests.agents.names import unique
from tests.agents.stage import Stage
from tests.patience import until_told


async def test_a_topic_may_come_grow_go_and_come_again(stage: Stage) -> None:
    company = Company(stage)
    async with company.reading():
        await company.create(1)
        await company.write(order(0), order(2))
        await company.caught_up()
        await company.grow(4)
        await company.write(*[order(0) for _ in range(4)], partition=3)
        await company.caught_up()
        await company.delete()
        await company.create(1)
        await company.write(order(4))
        await until_told(lambda: placed(stage), lambda found: len(found) == 7)
    await stage.work(stage.router)
    assert len(await stage.read(ORDERS, Request)) == 7


async def test_what_happened_before_there_was_the_source_is_not_told(
    stage: Stage, company: Company
) -> None:
    await company.write(*map(order, range(9)))
    async with company.reading(company.catalogue(NEWEST)) as sources:
        await until_told(company.left, lambda left: left == 0, pause=0.1)
        await company.write(order(10))
        await until_told(lambda: placed(stage), bool)
        await company.caught_up()
        sources.check()
    (found,) = await placed(stage)
    assert said(found)["actor"] == "0"


async def test_what_happens_in_a_topic_that_comes_later_is_told_from_its_first_record_on(
    stage: Stage,
) -> None:
    """The source was there before the topic, so all in it happened since."""
    company = Company(stage)
    async with company.reading(company.catalogue(NEWEST)):
        await until_told(company.has_begun, bool, pause=0.1)
        await company.create(2)
        await company.write(order(0), order(2))
        await until_told(lambda: placed(stage), lambda found: len(found) == 2)


async def test_behind_a_prefix_a_company_s_topics_are_read_by_the_names_that_they_have(
    stage: Stage, company: Company
) -> None:
    prefix = unique("left") + "."
    settings = Settings(
        kafka=company.kafka, partitions=1, prefix=prefix, data_dir=stage.settings.data_dir
    )
    await create_topics(settings, [MISPLACED, PLACED["router"]])
    producer = await start_producer(settings.brokers)
    sources = Sources(
        FixedCatalogue(company.catalogue(topic="*" + company.topic[1:])),
        Runtime(settings, producer, stage.clock),
        look=0.1,
    )
    await company.write(order(0), partition=1)
    try:
        sources.hold(0)

        async def found() -> list[Any]:
            return [each async for each in read_topic(settings.brokers, PLACED["router"].name)]

        (record,) = await until_told(found, bool, pause=0.1)
        await sources.release(0)
    finally:
        await producer.stop()
    assert msgspec.json.decode(record.value, type=Misplaced).topic == company.topic
    async with administrator(company.kafka) as admin:
        name = f"{prefix}tocsin-source-{company.source}"
        kept = await admin.list_consumer_group_offsets(name)
    assert sum(max(0, each.offset) for tp, each in kept.items() if tp.topic == company.topic) == 1


@pytest.mark.parametrize(
    ("name", "prefix", "expected"),
    [
        ("events", "", True),
        ("left.events", "", False),
        ("left.events", "left.", True),
        ("shop.events", "left.", False),
        ("left.shop", "left.", False),
        ("events", "left.", False),
    ],
)
def test_our_topics_are_known_behind_our_prefix(name: str, prefix: str, expected: bool) -> None:
    assert is_ours(name, prefix) is expected
