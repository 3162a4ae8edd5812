"""How what is in flight is shared between the topics of a partition."""

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cursor import Cursor
from pipeline.frontiers import Bounds
from pipeline.partitions import Partitions, Role

TOPICS = ("contacts", "high", "low", "bulk")
ROOM = 1000


def partitions_of(topics: tuple[str, ...]) -> Partitions:
    """Those of a worker that holds one partition number."""
    role = Role(name="a role", topics=topics, open_handler=lambda *_: pytest.fail("opened"))
    return Partitions(role, bytes_in_flight=ROOM, fail=lambda error: pytest.fail(str(error)))


def cursors_of(in_flight: dict[str, int], number: int = 0) -> dict[TopicPartition, Cursor]:
    return {
        TopicPartition(topic, number): Cursor(0, seek_pending=False, in_flight=size)
        for topic, size in in_flight.items()
    }


def wanted(in_flight: dict[str, int]) -> set[str]:
    partitions = partitions_of(tuple(in_flight))
    return {tp.topic for tp in partitions.with_room(cursors_of(in_flight))}


@pytest.mark.parametrize(
    ("bulk", "low", "high", "expected"),
    [
        (0, 0, 0, {"contacts", "high", "low", "bulk"}),
        (999, 0, 0, {"contacts", "high", "low", "bulk"}),
        (1000, 0, 0, {"contacts", "high", "low"}),
        (1000, 249, 250, {"contacts", "low"}),
        (250, 250, 250, {"contacts", "high", "low", "bulk"}),
        (400, 400, 400, {"contacts"}),
    ],
)
def test_a_backlog_may_use_what_is_left_and_keeps_nobody_out(
    bulk: int, low: int, high: int, expected: set[str]
) -> None:
    assert wanted({"contacts": 0, "high": high, "low": low, "bulk": bulk}) == expected


def test_partition_numbers_do_not_share_room() -> None:
    full, empty = cursors_of(dict.fromkeys(TOPICS, 900)), cursors_of(dict.fromkeys(TOPICS, 0), 1)
    assert partitions_of(TOPICS).with_room({**full, **empty}) == set(empty)


def test_what_is_about_to_seek_is_not_fetched() -> None:
    cursors = cursors_of({"high": 0, "low": 0})
    cursors[TopicPartition("low", 0)].seek(7)
    assert partitions_of(("high", "low")).with_room(cursors) == {TopicPartition("high", 0)}


class Source:
    """A consumer of topics from which nothing was read yet."""

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self.cursors: dict[TopicPartition, Cursor] = {}

    async def bounds(self, partitions: list[TopicPartition]) -> dict[TopicPartition, Bounds]:
        """They start there, and go on for ever."""
        return dict.fromkeys(partitions, Bounds(self.start, 1 << 40))

    def note_end(self, tp: TopicPartition) -> None:
        """Nothing is new."""


async def test_what_the_group_assigns_to_one_that_leaves_is_not_opened() -> None:
    """As when another worker joins in the moment in which this one is told to stop."""
    partitions = partitions_of(TOPICS)
    await partitions.leave()
    partitions.assign({0, 1}, Source())
    assert partitions.numbers == []


@given(st.integers(1, 20), st.lists(st.tuples(st.integers(0, 19), st.integers(1, 300))))
def test_in_flight_stays_within_twice_the_room_and_a_fetch_each(
    topics: int, fetches: list[tuple[int, int]]
) -> None:
    in_flight = {f"topic-{number}": 0 for number in range(topics)}
    for number, size in fetches:
        topic = f"topic-{number % topics}"
        if topic in wanted(in_flight):
            in_flight[topic] += size
    assert sum(in_flight.values()) <= 2 * ROOM + 300 * topics
