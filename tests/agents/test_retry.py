"""The retry role: a delivery goes back to its channel when it is due, not before."""

import asyncio

import pytest

from pipeline.lanes import Abandoned
from pipeline.topics import DELIVER, RETRIES
from schemas.vocabulary import Channel, Priority
from tests.agents.samples import delivery
from tests.agents.stage import Stage

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
    first, *_, last = records
    assert first.timestamp < now + 400 <= last.timestamp


async def test_each_goes_back_to_its_own_channel_and_priority(stage: Stage) -> None:
    push = delivery(stage.clock)
    text = delivery(stage.clock, channel=Channel.SMS, priority=Priority.CRITICAL)
    await stage.say(RETRIES["30s"], push, text)
    await stage.work(stage.retry)
    assert await stage.read(PUSH, type(push)) == [push]
    assert await stage.read(SMS, type(push)) == [text]


async def test_a_close_abandons_the_wait_and_a_restart_goes_on(stage: Stage) -> None:
    later = delivery(stage.clock, due_at=stage.clock.now() + 60_000)
    await stage.say(RETRIES["5m"], later)
    working = asyncio.create_task(stage.work(stage.retry))
    await asyncio.sleep(0.2)
    assert not working.done()
    stage.closing.set()
    with pytest.raises(Abandoned):
        await asyncio.wait_for(working, 2)
    assert not [tp for tp in stage.done if tp.topic == RETRIES["5m"].name]
    assert await stage.raw(PUSH) == []
    await stage.restart()
    stage.clock.ahead += 60_000
    await stage.work(stage.retry)
    assert await stage.read(PUSH, type(later)) == [later]
