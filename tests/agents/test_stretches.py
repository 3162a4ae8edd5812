"""While one partition works through a long slice, the others and all that comes in go on."""

import asyncio
from typing import Any

import pytest
from msgspec import Struct

from agents.decider.agent import Decider
from agents.inapp.agent import InApp
from agents.router.agent import Router
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import Handler
from pipeline.processing.slices import AT_A_STRETCH
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.encoding import encode
from schemas.topics import CONTACTS, DELIVER, EVENTS, Topic
from schemas.vocabulary import Channel, Priority
from tables.storage.memory_store import MemoryStore
from tests.agents.names import unique
from tests.agents.samples import delivery, order_shipped, reachable
from tests.agents.shifted_clock import ShiftedClock
from tests.agents.stage import our_catalogue

COUNT = 10 * AT_A_STRETCH
CATALOGUE = FixedCatalogue(our_catalogue())
INBOX = DELIVER[Channel.INAPP, Priority.HIGH]


def handler_of(role: str, runtime: Runtime) -> Handler:
    match role:
        case "decider":
            return Decider(CATALOGUE, runtime, 0, MemoryStore())
        case "router":
            return Router(CATALOGUE, runtime, MemoryStore())
        case _:
            return InApp(runtime, MemoryStore(), 0)


def said(topic: Topic, clock: ShiftedClock) -> Struct:
    if topic is CONTACTS:
        return reachable(unique("user"))
    if topic is EVENTS:
        return order_shipped(unique("user"))
    return delivery(clock, channel=Channel.INAPP)


@pytest.mark.parametrize(
    ("role", "topic"), [("decider", CONTACTS), ("router", EVENTS), ("inapp", INBOX)]
)
async def test_others_have_their_turn_again_and_again(role: str, topic: Topic) -> None:
    clock = ShiftedClock()
    log = MemoryLog(clock)
    for value in (said(topic, clock) for _ in range(COUNT)):
        key: Any = getattr(value, topic.key)
        await log.write(topic.name, 0, [(key.encode(), encode(value))])
    slice_ = log.slice_from(topic.name, 0)
    assert slice_ is not None
    handler = handler_of(role, Runtime(Settings(partitions=1), log, clock))
    # Nothing that is in memory is waited for, so each turn of another is one that was given.
    turns, working = 0, asyncio.create_task(handler.handle(slice_))
    while not working.done():
        await asyncio.sleep(0)
        turns += 1
    await working
    assert turns >= COUNT / AT_A_STRETCH
