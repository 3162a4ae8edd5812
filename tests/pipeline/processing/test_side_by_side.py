"""Slices of a lane that are worked on side by side, and the frontier behind them."""

import asyncio

import pytest
from aiokafka import TopicPartition
from prometheus_client import REGISTRY

from pipeline.processing.lanes import Lane
from pipeline.processing.slices import Slice
from schemas.errors import Abandoned
from tests.patience import ended, until
from tests.pipeline.processing.test_lanes import AT_ONCE, Feed, Tape, running

SIDE = TopicPartition("beside", 0)


class Slow(Tape):
    """A handler whose slices end when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: dict[int, asyncio.Event] = {}

    async def handle(self, slice_: Slice) -> None:
        """Wait for it."""
        self.begun[slice_.start] = asyncio.Event()
        await self.begun[slice_.start].wait()
        await super().handle(slice_)


def beside(handler: Tape, feed: Feed, finished: list[int], role: str = "beside") -> Lane:
    """A lane of one topic that has 30 records under way, in slices of up to 10."""
    return Lane(
        {"beside": 10},
        handler,
        feed.frontiers,
        lambda slice_: finished.append(slice_.next),
        most_in_flight=30,
        role=role,
    )


async def test_slices_side_by_side_end_in_any_order_and_the_frontier_moves_in_theirs() -> None:
    handler, feed, finished = Slow(), Feed(), list[int]()
    lane = beside(handler, feed, finished)
    for _ in range(4):
        lane.put(feed.slice("beside", 10))
    async with running(lane):
        # A fourth would be more than what may be under way.
        await until(lambda: list(handler.begun) == [0, 10, 20], AT_ONCE)
        handler.begun[10].set()
        await until(lambda: len(handler.done) == 1, AT_ONCE)
        assert (feed.frontiers[SIDE], finished) == (0, [])
        handler.begun[0].set()
        await until(lambda: finished == [10, 20], AT_ONCE)
        assert feed.frontiers[SIDE] == 20
        await until(lambda: 30 in handler.begun, AT_ONCE)
        handler.begun[30].set()
        handler.begun[20].set()
        await until(lambda: finished == [10, 20, 30, 40], AT_ONCE)
    assert feed.frontiers[SIDE] == 40
    labels = {"role": "beside", "topic": "beside"}
    assert REGISTRY.get_sample_value("tocsin_records_total", labels) == 40
    assert REGISTRY.get_sample_value("tocsin_slice_seconds_count", labels) == 4


async def test_of_slices_side_by_side_one_after_a_hole_ends_the_lane() -> None:
    handler, feed = Slow(), Feed()
    lane = beside(handler, feed, [])
    lane.put(feed.slice("beside", 10))
    feed.slice("beside", 10)
    lane.put(feed.slice("beside", 10))
    with pytest.raises(ExceptionGroup) as ending:
        await ended(lane.run())
    assert ending.group_contains(
        RuntimeError, match=r"a slice from 20 stood in the lane where 10 was due\. Nothing after 0"
    )


async def test_a_slice_that_is_abandoned_moves_no_frontier_and_ends_no_lane() -> None:
    class Leaving(Slow):
        async def handle(self, slice_: Slice) -> None:
            await super().handle(slice_)
            raise Abandoned

    handler, feed, finished = Leaving(), Feed(), list[int]()
    lane = beside(handler, feed, finished)
    lane.put(feed.slice("beside", 10))
    async with running(lane) as task:
        await until(lambda: 0 in handler.begun, AT_ONCE)
        lane.close()
        handler.begun[0].set()
        await ended(task)
    assert (feed.frontiers[SIDE], finished) == (0, [])
