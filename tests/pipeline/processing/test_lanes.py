"""Which slice a lane takes next, and when it does what is due by the clock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from prometheus_client import REGISTRY

from pipeline.processing.frontiers import Stored
from pipeline.processing.lanes import ALL_READ, LONGEST_WAIT, Lane, ReadTo
from pipeline.processing.parts import Trust
from pipeline.processing.read_first import Before
from pipeline.processing.slices import RECORDS, Slice
from pipeline.records.made_record import make_record
from schemas.errors import Abandoned
from tests.patience import ended, until
from tests.pipeline.gate import settled
from tests.virtual_time import in_virtual_time, now

WEIGHTS = {"high": 8, "normal": 4, "low": 2, "bulk": 1}
MOST = dict.fromkeys(("contacts", "critical", *WEIGHTS), 1000)
AT_ONCE = 0.0
"""Seconds between two looks: each time that everybody else had a turn."""


class Tape:
    """A handler that notes what it is asked to do, and wakes as a test says."""

    waits = False

    def __init__(self, on_timer: Callable[[], float | None] = lambda: None) -> None:
        self.done: list[str] = []
        self._wake = on_timer

    async def note_sent(self, after: float) -> None:
        """Nothing is ever sent."""

    async def restore(self) -> Stored:
        """Nothing."""
        return Stored({})

    async def handle(self, slice_: Slice) -> None:
        """Note the topic."""
        await asyncio.sleep(0)
        self.done.append(slice_.partition.topic)

    async def trust(self, slice_: Slice) -> Trust:
        """All of it."""
        return Trust.WHOLE

    async def note_alone(self, slice_: Slice) -> None:
        """Nothing is noted."""

    async def acquit(self, slice_: Slice) -> None:
        """Nothing was noted."""

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Nothing here is at fault."""
        raise error

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Do as the test says."""
        return self._wake()

    async def close(self) -> None:
        """Nothing."""


class Record(NamedTuple):
    """A record, as far as slices look at one."""

    offset: int


class Feed:
    """Slices for a lane, topic by topic without holes."""

    def __init__(self) -> None:
        self.frontiers: dict[TopicPartition, int] = {}
        self._ends: Counter[str] = Counter()

    def slice(self, topic: str, records: int = 1000) -> Slice:
        """The next slice of a topic."""
        tp = TopicPartition(topic, 0)
        start = self._ends[topic]
        self._ends[topic] += records
        self.frontiers.setdefault(tp, start)
        return Slice(tp, 0, start, start + records, [None] * records, records)


def lane_of(handler: Tape, feed: Feed, wakes: bool = True) -> Lane:
    read_to = (lambda _: ALL_READ) if wakes else None
    return Lane(MOST, handler, feed.frontiers, lambda _: None, WEIGHTS, read_to)


@asynccontextmanager
async def running(lane: Lane) -> AsyncIterator[asyncio.Task[None]]:
    """The lane at work, closed at the end."""
    task = asyncio.create_task(lane.run())
    try:
        yield task
    finally:
        lane.close()
        await ended(asyncio.gather(task, return_exceptions=True))


async def test_a_small_tenant_does_not_wait_behind_anothers_flood() -> None:
    """Twenty thousand events of one tenant in bulk, then one of another."""
    handler, feed = Tape(), Feed()
    lane = lane_of(handler, feed)
    for _ in range(20_000 // RECORDS):
        lane.put(feed.slice("bulk"))
    async with running(lane):
        await until(lambda: len(handler.done) > 1, AT_ONCE)
        before = len(handler.done)
        lane.put(feed.slice("normal", 1))
        await until(lambda: "normal" in handler.done, AT_ONCE)
        assert handler.done.index("normal") - before <= 1
        assert "bulk" in handler.done


@in_virtual_time
async def test_what_is_due_is_done_on_time_without_any_arrival() -> None:
    woken: list[float] = []

    def on_timer() -> float | None:
        woken.append(now())
        return {1: 0.05, 2: 0.1}.get(len(woken))

    async with running(lane_of(Tape(on_timer), Feed())):
        await asyncio.sleep(3600)
    assert woken == pytest.approx([0, 0.05, 0.15]), "what was due came late, or was asked again"


@in_virtual_time
async def test_an_arrival_is_handled_at_once_while_something_is_due_later() -> None:
    handler, feed = Tape(lambda: 60.0), Feed()
    lane = lane_of(handler, feed)
    async with running(lane):
        await asyncio.sleep(3)
        lane.put(feed.slice("low"))
        await until(lambda: handler.done == ["low"], AT_ONCE)
        assert now() == pytest.approx(3)


@in_virtual_time
async def test_a_slice_may_make_something_due_earlier() -> None:
    handler, feed = Tape(), Feed()
    woken: list[float] = []

    def on_timer() -> float | None:
        woken.append(now())
        return 60.0 if not handler.done else 0.05

    handler._wake = on_timer
    lane = lane_of(handler, feed)
    async with running(lane):
        await asyncio.sleep(3)
        assert woken == [0]
        lane.put(feed.slice("low"))
        await asyncio.sleep(0.07)
    # Asked when the slice came, when it was done, and when that was due.
    assert woken == pytest.approx([0, 3, 3, 3.05])


async def test_slices_and_what_is_due_take_turns() -> None:
    handler, feed = Tape(), Feed()

    def on_timer() -> float | None:
        handler.done.append("due")
        return 0

    handler._wake = on_timer
    lane = lane_of(handler, feed)
    for _ in range(3):
        lane.put(feed.slice("high"))
    async with running(lane):
        await until(lambda: len(handler.done) > 20, AT_ONCE)
        assert handler.done[:6] == ["due", "high"] * 3
        # With no slice left it goes on, and lets others run meanwhile.
        lane.put(feed.slice("high"))
        await until(lambda: handler.done.count("high") == 4, AT_ONCE)


@in_virtual_time
async def test_the_clock_may_be_set_while_a_lane_waits() -> None:
    woken: list[float] = []

    def on_timer() -> float | None:
        woken.append(now())
        return 86_400.0

    async with running(lane_of(Tape(on_timer), Feed())):
        await asyncio.sleep(2.5 * LONGEST_WAIT)
    assert woken == pytest.approx([0, LONGEST_WAIT, 2 * LONGEST_WAIT])


@pytest.mark.parametrize("due_in", [None, 60.0, 0.0])
@in_virtual_time
async def test_a_lane_that_waits_closes_at_once(due_in: float | None) -> None:
    asked: list[None] = []

    def on_timer() -> float | None:
        asked.append(None)
        return due_in

    lane = lane_of(Tape(on_timer), Feed())
    async with running(lane) as task:
        await until(lambda: bool(asked), AT_ONCE)
        lane.close()
        await task
        assert now() == 0


async def test_nothing_is_begun_once_it_was_closed_while_woken() -> None:
    handler, feed = Tape(), Feed()
    lane = lane_of(handler, feed)
    lane.put(feed.slice("high"))

    def on_timer() -> float | None:
        lane.close()
        return 0

    handler._wake = on_timer
    await ended(lane.run())
    assert handler.done == []


async def test_what_wake_raises_ends_the_lane() -> None:
    def on_timer() -> float | None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        await ended(lane_of(Tape(on_timer), Feed()).run())


async def test_abandoned_while_woken_is_an_orderly_end() -> None:
    def on_timer() -> float | None:
        raise Abandoned

    await ended(lane_of(Tape(on_timer), Feed()).run())


async def test_one_of_several_lanes_is_not_woken() -> None:
    handler, feed = Tape(lambda: pytest.fail("woken")), Feed()
    lane = lane_of(handler, feed, wakes=False)
    lane.put(feed.slice("high"))
    async with running(lane):
        await until(lambda: handler.done == ["high"])


async def test_a_slice_that_does_not_start_at_the_frontier_ends_the_lane() -> None:
    feed = Feed()
    lane = lane_of(Tape(), feed)
    feed.slice("high")
    lane.put(feed.slice("high"))
    with pytest.raises(RuntimeError, match="a slice from 1000 stood in the lane where 0 was due"):
        await ended(lane.run())


def _is_done(feed: Feed, records: int) -> bool:
    return feed.frontiers[TopicPartition("told-apart", 0)] == records


async def test_roles_of_one_process_that_read_one_topic_are_told_apart_in_metrics() -> None:
    found = {}
    for role, records in (("push", 300), ("sms", 200)):
        feed = Feed()
        lane = Lane({"told-apart": 1000}, Tape(), feed.frontiers, lambda _: None, role=role)
        lane.put(feed.slice("told-apart", records))
        async with running(lane):
            await until(partial(_is_done, feed, records))
        labels = {"role": role, "topic": "told-apart"}
        found[role] = (
            REGISTRY.get_sample_value("tocsin_frontier", {**labels, "partition": "0"}),
            REGISTRY.get_sample_value("tocsin_records_total", labels),
            REGISTRY.get_sample_value("tocsin_slice_seconds_count", labels),
        )
    assert found == {"push": (300, 300, 1), "sms": (200, 200, 1)}


async def test_a_slice_waits_in_its_lane_until_what_goes_before_it_is_read() -> None:
    handler, read = Tape(), {"contacts": 49}
    lane = Lane(
        {"asked": 10},
        handler,
        {TopicPartition("asked", 0): 0},
        lambda _: None,
        read_to=lambda topic: read[topic],
        read_first={"asked": Before(must=("contacts",))},
    )
    record = make_record(ConsumerRecord, "asked", 0, 0, 50, None, b"v")
    lane.put(Slice(TopicPartition("asked", 0), 0, 0, 1, [record], 1))
    async with running(lane):
        await settled()
        assert handler.done == []
        read["contacts"] = 50
        await until(lambda: handler.done == ["asked"], AT_ONCE)
