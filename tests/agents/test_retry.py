"""The retry role: a delivery goes back to its channel when it is due, not before."""

import asyncio
from functools import partial

import pytest
from aiokafka import TopicPartition

from pipeline.errors import Abandoned
from pipeline.outputs import partition_of
from pipeline.parts import handle_with_care
from pipeline.topics import DELIVER, RETRIES
from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Priority
from tests.agents.line import PARTITIONS
from tests.agents.samples import delivery
from tests.agents.stage import Stage
from tests.patience import ended, until_told

PUSH = DELIVER[Channel.PUSH, Priority.HIGH]
SMS = DELIVER[Channel.SMS, Priority.CRITICAL]


async def test_deliveries_go_back_in_order_once_they_are_due(stage: Stage) -> None:
    now = stage.clock.now()
    due = [delivery(stage.clock, user="one", attempt=1, due_at=now + ms) for ms in (0, 400, 300)]
    await stage.say(RETRIES["5s"], *due)
    await stage.work(stage.retry)
    records = await stage.raw(PUSH)
    assert await stage.read(PUSH, type(due[0])) == due
    assert {record.key for record in records} == {b"one"}
    assert records[-1].timestamp >= now + 400


async def test_each_goes_back_to_its_own_channel_and_priority(stage: Stage) -> None:
    push = delivery(stage.clock)
    text = delivery(stage.clock, channel=Channel.SMS, priority=Priority.CRITICAL)
    await stage.say(RETRIES["30s"], push, text)
    await stage.work(stage.retry)
    assert await stage.read(PUSH, type(push)) == [push]
    assert await stage.read(SMS, type(push)) == [text]


async def test_a_close_abandons_the_wait_and_a_restart_goes_on(stage: Stage) -> None:
    """What was due goes out meanwhile, and is not sent again by whoever goes on."""
    now = stage.clock.now()
    due, later = (
        delivery(stage.clock, user="one", due_at=at, attempt=1) for at in (now, now + 600_000)
    )
    await stage.say(RETRIES["5m"], due, later)
    role, tp = stage.retry, TopicPartition(RETRIES["5m"].name, partition_of("one", PARTITIONS))
    (slice_,) = await stage.slices(role, tp)
    working = asyncio.create_task((await stage.handler(role, tp.partition)).handle(slice_))
    await until_told(partial(stage.read, PUSH, Delivery), lambda sent: sent == [due])
    assert not working.done()
    stage.closing.set()
    with pytest.raises(Abandoned):
        await ended(working)
    await stage.restart()
    await stage.handler(role, tp.partition)
    stage.done[role.name, tp] = stage.stored[role.name, tp.partition][tp.topic]
    stage.clock.ahead += 600_000
    await stage.work(stage.retry)
    assert await stage.read(PUSH, Delivery) == [due, later]


async def test_kills_while_a_delivery_waits_say_nothing_against_it(stage: Stage) -> None:
    later = delivery(stage.clock, user="one", due_at=stage.clock.now() + 600_000, attempt=1)
    await stage.say(RETRIES["5m"], later)
    role, tp = stage.retry, TopicPartition(RETRIES["5m"].name, partition_of("one", PARTITIONS))
    for _ in range(8):
        (slice_,) = await stage.slices(role, tp)
        handler = await stage.handler(role, tp.partition)
        working = asyncio.create_task(handle_with_care(handler, slice_, lambda _: None))
        await asyncio.sleep(0.05)
        assert not working.done(), "it waits"
        working.cancel()  # as a kill: nothing more is done
        await asyncio.wait([working])
        await stage.restart()
    stage.clock.ahead += 600_000
    await stage.work(stage.retry)
    assert await stage.read(PUSH, Delivery) == [later]
    assert await stage.letters() == []
