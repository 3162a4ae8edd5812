"""Cutting fetched records into slices, and what a cursor makes of slices that get lost."""

from collections import deque
from collections.abc import Sequence

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from pipeline.consuming.cursor import Cursor
from pipeline.processing.slices import BYTES, Slice, cut, halves, join_head

TP = TopicPartition("events", 0)


def records(offsets: Sequence[int], size: int = 10) -> list[ConsumerRecord]:
    """Records at these offsets."""
    return [
        ConsumerRecord("events", 0, offset, 0, 0, b"key", b"v" * size, None, 3, size, ())
        for offset in offsets
    ]


offsets = st.sets(st.integers(0, 300)).map(sorted)


@given(offsets, st.integers(1, 50), st.integers(0, 300))
def test_slices_cover_every_record_from_the_start_without_a_hole(
    at: list[int], most: int, start: int
) -> None:
    slices = list(cut(TP, 1, start, records(at), most))
    assert [r.offset for s in slices for r in s.records] == [o for o in at if o >= start]
    position = start
    for slice_ in slices:
        assert slice_.start == position
        assert len(slice_.records) <= most
        position = slice_.next


def test_a_slice_holds_about_a_mebibyte_and_at_least_one_record() -> None:
    slices = list(cut(TP, 1, 0, records(range(4), size=BYTES)))
    assert [len(slice_.records) for slice_ in slices] == [1, 1, 1, 1]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(1, 30))
def test_slices_that_follow_each_other_go_together(lengths: list[int], most: int) -> None:
    queue: deque[Slice] = deque()
    start = 0
    for length in lengths:
        (slice_,) = cut(TP, 1, start, records(range(start, start + length)))
        queue.append(slice_)
        start = slice_.next
    position, size = 0, sum(slice_.size for slice_ in queue)
    while queue:
        joined = join_head(queue, most)
        assert joined.start == position
        assert [r.offset for r in joined.records] == list(range(position, joined.next))
        assert len(joined.records) <= max(most, max(lengths))
        position, size = joined.next, size - joined.size
    assert (position, size) == (sum(lengths), 0)


def test_slices_of_two_epochs_or_with_a_hole_between_stay_apart() -> None:
    old, new, far = (
        next(cut(TP, epoch, start, records([start]))) for epoch, start in ((1, 0), (2, 1), (2, 5))
    )
    queue = deque([old, new, far])
    assert [join_head(queue, 10) for _ in range(3)] == [old, new, far]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.data())
def test_whatever_is_dropped_on_the_way_everything_arrives_once_and_in_order(
    lengths: list[int], data: st.DataObject
) -> None:
    """A log, a reader that follows its cursor, and a way on which slices vanish at will."""
    log = records(range(sum(lengths)))
    cursor = Cursor(position=0)
    arrived: list[int] = []
    for _ in range(500):
        cursor.seek_pending = False
        fetched = [record for record in log if record.offset >= cursor.position]
        for slice_ in cut(TP, cursor.epoch, cursor.position, fetched, most=3):
            if slice_.epoch != cursor.epoch:
                break
            cursor.hand_on(slice_)
            if data.draw(st.booleans(), label="dropped"):
                continue
            if cursor.accept(slice_):
                arrived += [record.offset for record in slice_.records]
                cursor.finish(slice_)
            else:
                cursor.seek(cursor.accepted)
        if cursor.is_stuck():
            cursor.seek(cursor.accepted)
        if len(arrived) == len(log):
            break
        if len(arrived) > 60:
            break
    assert arrived == list(range(len(arrived)))
    assert cursor.accepted == len(arrived)


def test_a_lost_last_slice_is_noticed_at_the_second_look() -> None:
    cursor = Cursor(position=0)
    (lost,) = cut(TP, 0, 0, records(range(3)))
    cursor.hand_on(lost)
    assert not cursor.is_stuck()
    assert cursor.is_stuck()
    cursor.seek(cursor.accepted)
    assert (cursor.position, cursor.in_flight, cursor.seek_pending) == (0, 0, True)
    assert not cursor.is_stuck()
    assert not cursor.is_stuck()


def test_a_slice_from_before_a_seek_frees_no_bytes() -> None:
    cursor = Cursor(position=0)
    (old,) = cut(TP, 0, 0, records(range(3)))
    cursor.hand_on(old)
    cursor.seek(0)
    (new,) = cut(TP, 1, 0, records(range(3)))
    cursor.hand_on(new)
    cursor.finish(old)
    assert cursor.in_flight == new.size
    cursor.finish(new)
    assert cursor.in_flight == 0


@pytest.mark.parametrize(
    ("most", "most_bytes", "taken"),
    [
        # Three slices of 2, 3 and 1 records, 10 bytes a record.
        (6, 60, 6),
        (5, 60, 5),
        (4, 60, 2),
        (1, 60, 2),
        (6, 59, 5),
        (6, 50, 5),
        (6, 49, 2),
        (6, 1, 2),
    ],
)
def test_as_much_goes_together_as_the_bounds_allow(most: int, most_bytes: int, taken: int) -> None:
    queue = deque(run_of(2, 3, 1))
    joined = join_head(queue, most, most_bytes)
    assert (joined.start, joined.next, joined.size) == (0, taken, 10 * taken)
    assert [record.offset for record in joined.records] == list(range(taken))


def run_of(*lengths: int) -> list[Slice]:
    """Slices of so many records that follow each other, 10 bytes a record."""
    ends = [sum(lengths[: number + 1]) for number in range(len(lengths))]
    return [
        Slice(TP, 0, end - length, end, records(range(end - length, end)), 10 * length)
        for length, end in zip(lengths, ends, strict=True)
    ]


@pytest.mark.parametrize(
    ("offsets", "middle"), [((5, 6), 6), ((5, 6, 7), 6), ((5, 6, 9, 20), 9), ((5, 30, 40), 30)]
)
def test_halves_hold_each_record_once_and_the_bytes_once(
    offsets: tuple[int, ...], middle: int
) -> None:
    slice_ = Slice(TP, 3, 2, 50, records(offsets), 70)
    one, two = halves(slice_)
    assert (one.start, one.next, two.start, two.next) == (2, middle, middle, 50)
    assert [record.offset for record in (*one.records, *two.records)] == list(offsets)
    assert all(record.offset < middle for record in one.records)
    assert one.size + two.size == 70
    assert one.epoch == two.epoch == 3


@pytest.mark.parametrize(
    ("sizes", "cut_to"),
    [
        # 400 bytes beside key and value: two records of half a mebibyte are a slice.
        ([BYTES // 2 - 403] * 3, [2, 1]),
        ([BYTES // 2 - 404] * 3, [3]),
        ([BYTES - 403, 1], [1, 1]),
        ([BYTES - 404, 1, 1], [2, 1]),
    ],
)
def test_where_a_mebibyte_is_full(sizes: list[int], cut_to: list[int]) -> None:
    fetched = [records([offset], size)[0] for offset, size in enumerate(sizes)]
    slices = list(cut(TP, 1, 0, fetched))
    assert [len(slice_.records) for slice_ in slices] == cut_to
    assert sum(slice_.size for slice_ in slices) == sum(403 + size for size in sizes)
