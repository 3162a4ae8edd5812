"""No role says that a slice is handled before everything that it wrote is acknowledged.

The frontier moves when `handle` returns. Whatever is still on its way then is lost by a crash.
"""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from msgspec import Struct

from agents.analytics import Analytics
from agents.decider.agent import Decider
from agents.inapp.agent import InApp
from agents.retry import Retries
from agents.router.agent import Router
from pipeline.batcher import Batcher
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import Handler, all_read
from pipeline.processing.slices import Slice, cut
from pipeline.settings import Settings
from policy.delivery_events import reached
from schemas.encoding import encode
from schemas.request import Origin, Request
from schemas.topics import DELIVER, DELIVERY_EVENTS, EVENTS, REQUESTS, RETRY, Topic
from schemas.vocabulary import Channel, Priority, Stage
from tests.agents.samples import delivery, order_shipped
from tests.agents.shifted_clock import ShiftedClock
from tests.agents.stage import our_catalogue
from tests.agents.test_mark_order import STATE, Gated
from tests.pipeline.gate import GatedLog, settled

BAD = b"{no json"


@pytest.fixture
def log() -> GatedLog:
    return GatedLog()


@pytest.fixture
def runtime(log: GatedLog, tmp_path: Path) -> Runtime:
    return Runtime(Settings(data_dir=tmp_path, partitions=2), log, ShiftedClock())


def slice_of(topic: Topic, key: str, *values: Struct | bytes) -> Slice:
    """These records, and one that nobody can read."""
    records = [
        ConsumerRecord(
            topic.name, 0, at, ShiftedClock().now(), 0, key.encode(),
            encode(value) if isinstance(value, Struct) else value, None, 1, 1, (),
        )
        for at, value in enumerate((*values, BAD))
    ]  # fmt: skip
    (slice_,) = cut(TopicPartition(topic.name, 0), 0, 0, records)
    return slice_


async def writes_of(handler: Handler, slice_: Slice, log: GatedLog) -> list[list[str]]:
    """The topics that a slice's work writes to."""
    return await rounds_of(handler.handle(slice_), log)


async def rounds_of(work: Coroutine[Any, Any, object], log: GatedLog) -> list[list[str]]:
    """The topics that are written to, together and after one another, one answer at a time."""
    handling = asyncio.create_task(work)
    rounds: list[list[str]] = []
    while True:
        await settled()
        pending = log.take()
        if not pending:
            break
        assert not handling.done(), "handled, and still being written"
        rounds.append(sorted(each.place[0] for each in pending))
        for each in pending:
            assert not handling.done(), "handled, and not all of it acknowledged"
            each.acknowledge()
            await settled()
            assert each is pending[-1] or not log.pending, "went on without the other answers"
    assert handling.done()
    await handling
    return rounds


def stored(handler: Any, log: GatedLog) -> Any:
    """The handler with its state behind the gate."""
    handler._store = Gated(log)
    return handler


async def test_the_router(runtime: Runtime, log: GatedLog) -> None:
    router = Router(FixedCatalogue(our_catalogue()), runtime, Gated(log))
    rounds = await writes_of(router, slice_of(EVENTS, "shop", said("ann")), log)
    assert rounds == [[STATE[0]], ["dead-letters", "requests.high"]]


def said(user: str) -> Any:
    return order_shipped(user, actor="shop")


async def test_the_decider(runtime: Runtime, log: GatedLog) -> None:
    decider = Decider(FixedCatalogue(our_catalogue()), runtime, 0, Gated(log))
    asked = Request(
        type="order_shipped",
        user="ann",
        event=said("ann"),
        origin=Origin("events", 0, 1),
        accepted_at=ShiftedClock().now(),
    )
    rounds = await writes_of(decider, slice_of(REQUESTS[Priority.HIGH], "ann", asked), log)
    assert rounds == [[STATE[0]], ["dead-letters", "delivery-events"]]


async def test_the_inbox(runtime: Runtime, log: GatedLog) -> None:
    inapp = InApp(runtime, Gated(log), 0)
    item = delivery(ShiftedClock(), user="ann", channel=Channel.INAPP, address="ann")
    topic = DELIVER[Channel.INAPP, Priority.HIGH]
    rounds = await writes_of(inapp, slice_of(topic, "ann", item), log)
    assert rounds == [[STATE[0]], ["dead-letters", "delivery-events", "live"]]


async def test_what_is_tried_again(runtime: Runtime, log: GatedLog) -> None:
    retries = Retries(runtime, Gated(log), 0)
    again = delivery(ShiftedClock(), user="ann", due_at=0)
    rounds = await writes_of(retries, slice_of(RETRY, "ann", again), log)
    assert rounds == [[STATE[0]], ["dead-letters"]]
    assert await rounds_of(retries.on_timer(all_read), log) == [[STATE[0]], ["deliver.push.high"]]


class ClickHouse:
    """Takes rows when the test says so, as the log does."""

    def __init__(self, log: GatedLog) -> None:
        self._log = log

    async def query(self, *_: object) -> list[Any]:
        """Nobody was erased."""
        return []

    async def insert(self, events: list[Any]) -> None:
        """Rows on their way."""
        await self._log.write("clickhouse", 0, [(None, msgspec.json.encode(events))])


async def test_analytics(runtime: Runtime, log: GatedLog) -> None:
    clickhouse: Any = ClickHouse(log)

    async def insert(groups: Any) -> list[None]:
        await clickhouse.insert([event for events in groups for event in events])
        return [None] * len(groups)

    rows: Batcher[Any, None] = Batcher(insert, most=1, linger=0.0, size=len)
    analytics = Analytics(clickhouse, rows, runtime, 0, asyncio.Event())
    row = reached(delivery(ShiftedClock()), Stage.SENT, 1)
    rounds = await writes_of(analytics, slice_of(DELIVERY_EVENTS, "", row), log)
    assert rounds == [["clickhouse"], ["dead-letters"]]
