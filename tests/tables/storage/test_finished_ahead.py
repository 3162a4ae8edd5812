"""What is done beyond a frontier: nothing is done twice, and nothing is passed over."""

import random

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from pipeline.processing.slices import Slice
from tables.storage.finished_ahead import AHEAD, Ahead, Span
from tables.storage.memory_store import MemoryStore
from tests.tables.stored import turn_of

TOPIC = "deliver.push.high"
ROW = b"a\x00\x11deliver.push.high"


def slice_of(start: int, end: int, *offsets: int, topic: str = TOPIC) -> Slice:
    """Records at these offsets, of a slice from `start` to `end`."""
    records = [ConsumerRecord(topic, 0, at, 0, 0, None, b"x", 0, 0, 0, ()) for at in offsets]
    return Slice(TopicPartition(topic, 0), 0, start, end, records, 0)


async def finish(ahead: Ahead, store: MemoryStore, *spans: Span) -> int:
    transaction = turn_of(store)
    frontier = ahead.finish(spans, transaction)
    await transaction.commit()
    return frontier


def row(store: MemoryStore) -> object:
    """The spans that are stored, as plain lists."""
    stored = store.stored.get(ROW)
    return None if stored is None else msgspec.msgpack.decode(stored)


def test_each_record_stands_for_all_offsets_up_to_the_next() -> None:
    ahead = Ahead(MemoryStore(), TOPIC)
    assert ahead.frontier is None
    # The first one also for what is missing before it, the last one for what is missing behind.
    assert ahead.begin(slice_of(8, 20, 10, 12, 15)) == {10: (8, 12), 12: (12, 15), 15: (15, 20)}
    assert ahead.begin(slice_of(20, 21, 20)) == {20: (20, 21)}
    assert ahead.frontier == 8


async def test_what_ends_before_the_first_is_stored_until_that_ends() -> None:
    store = MemoryStore()
    ahead = Ahead(store, TOPIC)
    spans = ahead.begin(slice_of(8, 20, 10, 12, 15))
    assert await finish(ahead, store, spans[12]) == 8
    assert row(store) == [[12, 15]]
    assert await finish(ahead, store, spans[15]) == 8
    assert row(store) == [[12, 20]]
    assert await finish(ahead, store, spans[10]) == ahead.frontier == 20
    assert store.stored == {}


async def test_of_a_topic_from_its_start_on_the_second_record_does_not_stand_for_the_first() -> (
    None
):
    store = MemoryStore()
    ahead = Ahead(store, TOPIC)
    spans = ahead.begin(slice_of(0, 3, 0, 1, 2))
    assert await finish(ahead, store, spans[1]) == 0
    assert await finish(ahead, store, spans[0]) == 2
    assert await finish(ahead, store, spans[2]) == 3


async def test_a_successor_does_only_what_is_not_done() -> None:
    store = MemoryStore()
    ahead = Ahead(store, TOPIC)
    spans = ahead.begin(slice_of(8, 40, 10, 12, 15, 20, 30))
    await finish(ahead, store, spans[12], spans[30])
    assert row(store) == [[12, 15], [30, 40]]
    restarted = Ahead(MemoryStore(dict(store.stored)), TOPIC)
    assert restarted.begin(slice_of(8, 40, 10, 12, 15, 20, 30)) == {
        10: (8, 12),
        15: (15, 20),
        20: (20, 30),
    }
    # Another topic's offsets say nothing of this one's.
    other = Ahead(store, "deliver.push.hig")
    assert other.begin(slice_of(12, 13, 12)) == {12: (12, 13)}


async def test_where_two_ends_tell_of_the_same_offsets_they_count_once() -> None:
    store = MemoryStore()
    ahead = Ahead(store, TOPIC)
    ahead.begin(slice_of(5, 30, 5, 10))
    assert await finish(ahead, store, (10, 30), (12, 14), (12, 13)) == 5
    assert row(store) == [[10, 30]]
    assert await finish(ahead, store, (5, 10)) == 30


@pytest.mark.parametrize(("start", "left"), [(30, {}), (29, {}), (31, {35: (31, 40)})])
async def test_whoever_is_told_to_begin_later_keeps_only_what_is_done_from_there_on(
    start: int, left: dict[int, Span]
) -> None:
    store = MemoryStore()
    ahead = Ahead(store, TOPIC)
    ahead.begin(slice_of(8, 40, 10, 12, 29, 30, 35))
    await finish(ahead, store, (12, 15), (29, 31), *([] if left else [(31, 40)]))
    later = Ahead(store, TOPIC)
    assert later.begin(slice_of(start, 40, 35)) == left
    assert await finish(later, store, *left.values(), (start, 31)) == 40
    assert store.stored == {}


@given(st.integers(0, 3), st.lists(st.integers(1, 3), min_size=1, max_size=25), st.randoms())
async def test_whatever_the_order_each_is_done_once_and_the_frontier_is_the_first_that_is_not(
    start: int, gaps: list[int], dice: random.Random
) -> None:
    """Against a set of offsets; processes end anywhere, and begin at the frontier."""
    offsets = [start + sum(gaps[:number]) for number in range(len(gaps))]
    end = start + sum(gaps)
    store, frontier, done = MemoryStore(), start, set[int]()
    handed: list[int] = []
    while frontier < end:
        ahead = Ahead(store, TOPIC)
        there = [at for at in offsets if at >= frontier]
        middle = dice.choice([*there, end])
        todo: dict[int, Span] = {}
        for first, last in ((frontier, middle), (middle, end)):
            within = [at for at in there if first <= at < last]
            if within:
                todo |= ahead.begin(slice_of(first, last, *within))
        assert sorted(todo) == [at for at in there if at not in done]
        order = list(todo)
        dice.shuffle(order)
        for at in order[: dice.randrange(1, len(order) + 1)]:
            handed.append(at)
            done |= set(range(*todo[at]))
            frontier = await finish(ahead, store, todo[at])
            assert frontier == next((x for x in range(start, end) if x not in done), end)
    assert sorted(handed) == offsets
    assert store.stored == {}


def test_spans_are_stored_as_pairs() -> None:
    assert AHEAD.decode(b"\x91\x92\x0c\x0f") == [(12, 15)]
