"""Slices side by side: how many are begun, and in which order they count as done."""

from aiokafka import TopicPartition

from pipeline.processing.slices import Slice
from pipeline.processing.window import Window

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
    room = [window.has_room]
    window.begin(second)
    room.append(window.has_room)
    window.end(first)
    assert [*room, window.has_room] == [True, False, True]


def test_room_is_there_up_to_the_very_last_record() -> None:
    window, (first, second) = Window(8, 4), slices(4, 4)
    window.begin(first)
    room = [window.has_room]
    window.begin(second)
    assert [*room, window.has_room] == [True, False]


def test_the_next_slice_starts_where_the_last_one_that_was_begun_ends() -> None:
    window, (first, second) = Window(10, 4), slices(3, 4)
    starts = [window.next]
    for begun in (first, second):
        window.begin(begun)
        starts.append(window.next)
    window.end(second)
    assert [*starts, window.next] == [None, 3, 7, 7]


def test_what_is_done_counts_once_all_before_it_is() -> None:
    window, (first, second, third) = Window(30, 4), slices(1, 2, 3)
    for each in (first, second, third):
        window.begin(each)
    assert window.end(third) == []
    assert window.end(first) == [first]
    assert window.end(second) == [second, third]
    assert window.next is None
