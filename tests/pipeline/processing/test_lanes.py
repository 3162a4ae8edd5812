"""Which slice a lane takes next, and when it does what is due by the clock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from pipeline.processing.frontiers import Stored
from pipeline.processing.lanes import ALL_READ, LONGEST_WAIT, Lane, ReadTo
from pipeline.processing.parts import Trust
from pipeline.processing.queues import Queues
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


def taken(queues: Queues, number: int) -> list[Slice]:
    found = (queues.take() for _ in range(number))
    return [slice_ for slice_ in found if slice_ is not None]


def topics(slices: list[Slice]) -> list[str]:
    return [slice_.partition.topic for slice_ in slices]


def test_what_has_no_weight_comes_first_and_in_order() -> None:
    queues, feed = Queues(MOST, WEIGHTS), Feed()
    for topic in ("bulk", "high", "critical", "contacts", "critical"):
        queues.put(feed.slice(topic))
    order = topics(taken(queues, 6))
    assert order == ["contacts", "critical", "critical", "high", "bulk"]
    assert queues.take() is None


@pytest.mark.parametrize("records", [1000, 100])
def test_the_others_share_records_by_weight(records: int) -> None:
    queues, feed = Queues(MOST, WEIGHTS), Feed()
    for topic in WEIGHTS:
        for _ in range(600 * 1000 // records):
            queues.put(feed.slice(topic, records))
    served = Counter(topics(taken(queues, 600)))
    for topic, weight in WEIGHTS.items():
        assert served[topic] == pytest.approx(600 * weight / 15, rel=0.1)


def test_small_slices_count_for_what_they_hold() -> None:
    queues, feed, records = Queues(MOST, WEIGHTS), Feed(), Counter[str]()
    for _ in range(300):
        queues.put(feed.slice("low", 1000))
        queues.put(feed.slice("high", 1000))
    small = [feed.slice("normal", 50) for _ in range(4000)]
    queues.put(small.pop(0))
    for _ in range(1500):
        slice_ = queues.take()
        assert slice_ is not None
        records[slice_.partition.topic] += len(slice_.records)
        if slice_.partition.topic == "normal":
            queues.put(small.pop(0))
    assert records["normal"] == pytest.approx(2 * records["low"], rel=0.1)


def test_a_full_slice_counts_the_same_whatever_its_records_stand_for() -> None:
    most = {"requests": 1000, "broadcasts": 16}
    queues, feed = Queues(most, dict.fromkeys(most, 1)), Feed()
    for _ in range(100):
        queues.put(feed.slice("requests", 1000))
        queues.put(feed.slice("broadcasts", 16))
    assert Counter(topics(taken(queues, 100))) == {"requests": 50, "broadcasts": 50}


def test_having_been_idle_saves_up_nothing() -> None:
    queues, feed = Queues(MOST, WEIGHTS), Feed()
    for _ in range(500):
        queues.put(feed.slice("bulk"))
    taken(queues, 400)
    for _ in range(100):
        queues.put(feed.slice("low"))
    assert Counter(topics(taken(queues, 90)))["bulk"] == pytest.approx(30, abs=2)


def test_having_been_alone_costs_nothing() -> None:
    """A topic that had all the idle time is no further behind once there is another."""
    queues, feed = Queues(MOST, WEIGHTS), Feed()
    for _ in range(50):
        queues.put(feed.slice("bulk"))
        taken(queues, 1)
    for topic in ("low", "bulk"):
        for _ in range(50):
            queues.put(feed.slice(topic))
    assert Counter(topics(taken(queues, 30)))["bulk"] == pytest.approx(10, abs=1)


@given(st.lists(st.tuples(st.sampled_from(sorted(MOST)), st.integers(1, 1000)), max_size=80))
def test_every_record_comes_once_and_each_topics_in_order(arrivals: list[tuple[str, int]]) -> None:
    queues, feed, ends = Queues(MOST, WEIGHTS), Feed(), Counter[str]()
    for topic, records in arrivals:
        queues.put(feed.slice(topic, records))
    for slice_ in taken(queues, len(arrivals)):
        assert slice_.start == ends[slice_.partition.topic]
        assert len(slice_.records) <= 1000
        ends[slice_.partition.topic] = slice_.next
    assert ends == sum((Counter({topic: records}) for topic, records in arrivals), Counter())


@given(st.lists(st.sampled_from(sorted(WEIGHTS)), max_size=200))
def test_no_topic_starves(arrivals: list[str]) -> None:
    """However the others come, each gets its weight and one more before a slice of bulk."""
    queues, feed, waited = Queues(MOST, WEIGHTS), Feed(), 0
    queues.put(feed.slice("bulk"))
    for topic in arrivals:
        queues.put(feed.slice(topic))
        if topic != "bulk":
            queues.put(feed.slice("high"))
        slice_ = queues.take()
        assert slice_ is not None
        waited = 0 if slice_.partition.topic == "bulk" else waited + 1
        assert waited <= (8 + 1) + (4 + 1) + (2 + 1)
        queues.put(feed.slice("bulk"))


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
