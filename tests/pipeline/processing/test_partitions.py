"""How partitions share what is in flight, and what they say of themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from pipeline.consuming.cursor import Cursor
from pipeline.process.queries import NotOwner
from pipeline.processing.frontiers import Bounds, Stored
from pipeline.processing.partitions import Partitions
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice
from pipeline.records.made_record import make_record
from tests.patience import until
from tests.pipeline.processing.test_lanes import Tape

TOPICS = ("contacts", "high", "low", "bulk")
ROOM = 1000


def partitions_of(topics: tuple[str, ...], room: int = ROOM) -> Partitions:
    """Those of a worker that holds one partition number."""
    role = Role(name="a role", topics=topics, open_handler=lambda *_: pytest.fail("opened"))
    return Partitions(role, bytes_in_flight=room, fail=lambda error: pytest.fail(str(error)))


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


@given(
    st.dictionaries(
        st.builds(TopicPartition, st.sampled_from(TOPICS), st.integers(0, 2)),
        st.builds(
            Cursor,
            st.just(0),
            seek_pending=st.booleans(),
            in_flight=st.sampled_from([0, 0, 1, 249, 250, 251, 500, 999, 1000]),
        ),
    ),
    st.sampled_from([3, ROOM]),
)
def test_what_has_room_partition_by_partition(
    cursors: dict[TopicPartition, Cursor], room: int
) -> None:
    partitions = partitions_of(TOPICS, room)
    for tp, cursor in cursors.items():
        beside = sum(each.in_flight for other, each in cursors.items() if other[1] == tp.partition)
        has_room = beside < room or cursor.in_flight < room // len(TOPICS)
        assert (tp in partitions.with_room(cursors)) == (has_room and not cursor.seek_pending)


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


class Knowing(Tape):
    """A handler that can be asked, once a test lets it have its state."""

    def __init__(self, number: int, closing: asyncio.Event) -> None:
        super().__init__()
        self.number = number
        self.closing = closing
        self.restored = asyncio.Event()
        self.is_closed = False

    async def restore(self) -> Stored:
        """When the test says so."""
        await self.restored.wait()
        return Stored({"high": 3})

    async def answer(self, question: bytes) -> bytes:
        """The question, and by which partition it is answered."""
        return b"%d: %s" % (self.number, question)

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True


class Held:
    """The partitions of a worker with their handlers, and what was told of them."""

    def __init__(self) -> None:
        self.handlers: dict[int, Knowing] = {}
        self.told: list[int] = []
        self.failed: list[BaseException] = []
        self.source = Source()
        role = Role(name="knowing", topics=("high", "low"), open_handler=self._open)
        self.partitions = Partitions(role, bytes_in_flight=ROOM, fail=self.failed.append)
        self.partitions.opened = self._tell

    def _open(self, number: int, closing: asyncio.Event) -> Knowing:
        self.handlers[number] = Knowing(number, closing)
        return self.handlers[number]

    async def _tell(self, number: int) -> None:
        self.told.append(number)

    @asynccontextmanager
    async def assigned(self, *numbers: int) -> AsyncIterator[Partitions]:
        """These, until the end."""
        assert self.partitions.assign(set(numbers), self.source)
        try:
            yield self.partitions
        finally:
            await self.partitions.close()


async def test_a_partition_answers_from_when_it_is_restored_until_it_is_closed() -> None:
    held = Held()
    async with held.assigned(1, 4) as partitions:
        assert partitions.joined.is_set()
        assert partitions.numbers == [1, 4]
        await until(lambda: set(held.handlers) == {1, 4})
        with pytest.raises(NotOwner):
            await partitions.answer(4, b"?")
        with pytest.raises(NotOwner):
            partitions.frontier(4, "high")
        held.handlers[4].restored.set()
        await until(lambda: held.told == [4])
        assert await partitions.answer(4, b"who?") == b"4: who?"
        assert (partitions.frontier(4, "high"), partitions.frontier(4, "low")) == (3, 0)
        for number in (1, 2):
            with pytest.raises(NotOwner):
                await partitions.answer(number, b"?")
        held.handlers[1].restored.set()
        await until(lambda: held.told == [4, 1])
        assert await partitions.answer(1, b"?") == b"1: ?"
    with pytest.raises(NotOwner):
        await partitions.answer(1, b"?")
    # What is done is still to be committed.
    assert partitions.frontiers() == {
        TopicPartition(topic, number): at
        for number in (1, 4)
        for topic, at in (("high", 3), ("low", 0))
    }
    partitions.forget()
    assert partitions.frontiers() == {}
    assert not held.failed


async def test_a_handler_that_can_not_be_asked_answers_nothing() -> None:
    role = Role(name="silent", topics=("high",), open_handler=lambda *_: Tape())
    partitions = Partitions(role, bytes_in_flight=ROOM, fail=lambda error: pytest.fail(str(error)))
    partitions.assign({0}, Source())
    await until(lambda: bool(partitions.frontiers()))
    with pytest.raises(NotOwner):
        await partitions.answer(0, b"?")
    await partitions.close()


async def test_who_closes_says_so_to_its_handlers_and_fetches_no_more() -> None:
    held = Held()
    async with held.assigned(0):
        held.handlers[0].restored.set()
        await until(lambda: held.told == [0])
        assert {tp.topic: each.position for tp, each in held.source.cursors.items()} == {
            "high": 3,
            "low": 0,
        }
        assert not held.handlers[0].closing.is_set()
    assert held.handlers[0].closing.is_set()
    assert held.handlers[0].is_closed
    assert held.source.cursors == {}


async def test_what_is_still_restoring_is_given_up_when_it_is_taken_away() -> None:
    held = Held()
    async with held.assigned(0):
        await until(lambda: 0 in held.handlers)
        await asyncio.sleep(0)
    assert held.handlers[0].is_closed
    assert held.told == []
    assert not held.failed


async def test_what_ends_a_partition_is_told() -> None:
    class Broken(Knowing):
        async def restore(self) -> Stored:
            raise OSError("the disk is gone")

    held = Held()
    held.partitions.role.__dict__["open_handler"] = Broken
    async with held.assigned(0):
        await until(lambda: len(held.failed) == 1)
    assert str(held.failed[0]) == "the disk is gone"


async def test_what_was_handled_is_read_up_to_the_time_of_its_last_record() -> None:
    """Of a topic whose end is not known, what is done tells how far it is read."""
    told: list[int] = []

    class Asking(Tape):
        async def on_timer(self, read_to: Callable[[str], int]) -> float | None:
            told.append(read_to("high"))
            return None

    role = Role(name="asking", topics=("high",), open_handler=lambda *_: Asking())
    partitions = Partitions(role, bytes_in_flight=ROOM, fail=lambda error: pytest.fail(str(error)))
    source, tp = Source(), TopicPartition("high", 0)
    partitions.assign({0}, source)
    await until(lambda: told == [0])
    records = [make_record(ConsumerRecord, "high", 0, at, 500 + at, None, b"v") for at in range(3)]
    source.cursors[tp].position = 3
    partitions.accept(Slice(tp, 0, 0, 3, records, 9), source)
    await until(lambda: told[-1] == 502)
    assert source.cursors[tp].in_flight == -9
    await partitions.close()
