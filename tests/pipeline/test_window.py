"""Slices side by side: how many are begun, and in which order they count as done."""

from aiokafka import TopicPartition

from pipeline.slices import Slice
from pipeline.window import Window

TP = TopicPartition("deliver", 0)


def slices(*sizes: int) -> list[Slice]:
    """Slices of so many records, one after the other."""
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    return [
        Slice(TP, 0, start, start + size, [None] * size, 0)
        for start, size in zip(starts, sizes, strict=True)
    ]


def test_a_slice_begins_only_where_a_whole_one_has_room() -> None:
    window, (first, second) = Window(10, 4), slices(3, 4)
    window.begin(first)
    assert window.has_room
    window.begin(second)
    assert not window.has_room
    window.end(first)
    assert window.has_room


def test_room_is_there_up_to_the_very_last_record() -> None:
    window, (first, second) = Window(8, 4), slices(4, 4)
    window.begin(first)
    assert window.has_room
    window.begin(second)
    assert not window.has_room


def test_the_next_slice_starts_where_the_last_one_that_was_begun_ends() -> None:
    window, (first, second) = Window(10, 4), slices(3, 4)
    assert window.next is None
    window.begin(first)
    assert window.next == 3
    window.begin(second)
    assert window.next == 7
    window.end(second)
    assert window.next == 7


def test_what_is_done_counts_once_all_before_it_is() -> None:
    window, (first, second, third) = Window(30, 4), slices(1, 2, 3)
    for each in (first, second, third):
        window.begin(each)
    assert window.end(third) == []
    assert window.end(first) == [first]
    assert window.end(second) == [second, third]
    assert window.next is None
