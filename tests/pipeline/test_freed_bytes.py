"""The bytes of what was fetched are counted once, and given back once, however slices are cut."""

from collections import deque
from dataclasses import replace

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from pipeline.processing.slices import OVERHEAD, Slice, cut, halves, join_head

TP = TopicPartition("events", 0)


def records(*offsets: int) -> list[ConsumerRecord]:
    """Records with a key of 3 bytes and a value of 10, but for the first, which has neither."""
    first = ConsumerRecord("events", 0, offsets[0], 0, 0, None, None, None, 0, 0, ())
    return [
        first,
        *(
            ConsumerRecord("events", 0, offset, 0, 0, b"key", b"v" * 10, None, 3, 10, ())
            for offset in offsets[1:]
        ),
    ]


def slice_of(*offsets: int, epoch: int = 0) -> Slice:
    (found,) = cut(TP, epoch, offsets[0], records(*offsets))
    return found


def test_a_record_costs_its_key_its_value_and_an_overhead() -> None:
    assert OVERHEAD == 400
    assert slice_of(0, 1, 2).size == 400 + 2 * 413


@pytest.mark.parametrize("count", [2, 3, 4, 9])
def test_halves_give_back_once_what_the_whole_took(count: int) -> None:
    whole = slice_of(*range(count))
    first, second = halves(whole)
    assert [r.offset for r in (*first.records, *second.records)] == list(range(count))
    assert (first.start, first.next, second.next) == (0, second.start, count)
    assert len(first.records) == count // 2
    assert (first.size, second.size) == (0, whole.size)
    # A half that is halved again: still once.
    if count == 9:
        parts = (*halves(first), *halves(second))
        assert sum(part.size for part in parts) == whole.size


def test_slices_joined_give_back_the_sum() -> None:
    slices = [slice_of(0, 1), slice_of(2, 3, 4), slice_of(5)]
    joined = join_head(deque(slices), 100)
    assert joined.size == (400 + 413) + (400 + 826) + 400
    assert (joined.start, joined.next) == (0, 6)


def test_only_what_follows_directly_is_joined() -> None:
    for other in (slice_of(3, 4), replace(slice_of(2, 3), epoch=1)):
        queue = deque([slice_of(0, 1), other])
        assert join_head(queue, 100).size == 400 + 413
        assert list(queue) == [other]
