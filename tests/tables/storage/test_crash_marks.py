"""Processes that end without a word at a record: it is found, and all others go on."""

import asyncio

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from pipeline.processing.parts import Trust, handle_with_care
from pipeline.processing.slices import RECORDS, Slice, cut
from pipeline.producing.outputs import NO_RECORDS, Records
from schemas.errors import Unavailable
from tables.storage.crash_marks import BEGUN, Begun, Deaths
from tables.storage.journal import Unsent
from tables.storage.memory_store import MemoryStore
from tables.storage.store import Changes
from tests.tables.stored import read, written

HERE = TopicPartition("events", 0)
OTHER = TopicPartition("follows", 0)


class Ended(BaseException):
    """The process is gone, and nothing could be done about it."""


def slice_of(start: int, end: int, tp: TopicPartition = HERE) -> Slice:
    """Records `start` to `end`; some offsets are missing, as after a compaction."""
    records = [
        ConsumerRecord(tp.topic, tp.partition, at, 0, 0, None, b"x", 0, 0, 0, ())
        for at in range(start, end)
        if at % 5 != 4
    ]
    (slice_,) = cut(tp, 0, start, records, end)
    return slice_


class World:
    """Workers that follow each other, and what outlives them."""

    def __init__(self, *deadly: int, end: int = 40) -> None:
        self.store = MemoryStore()
        self.frontier = 0
        self.handled: list[int] = []
        self.aside: list[tuple[int, str]] = []
        self.writes = 0
        self._deadly = deadly
        self._end = end

    async def live(self, error: BaseException | None = None, most: int = 1000) -> bool:
        """One worker, until it ends; whether it got through."""
        life = Life(self, error or Ended())
        while self.frontier < self._end - 1:
            # With a record at least: of five offsets that follow each other one is missing.
            slice_ = slice_of(self.frontier, min(self._end, self.frontier + max(2, most)))
            try:
                await handle_with_care(life, slice_, self._finished)
            except (Ended, Unavailable):
                return False
        return True

    def _finished(self, part: Slice) -> None:
        assert part.start == self.frontier
        self.frontier = part.next

    def take(self, slice_: Slice, error: BaseException) -> None:
        """What a handler does; all of it or nothing."""
        offsets = [record.offset for record in slice_.records]
        if set(offsets) & set(self._deadly):
            raise error
        self.handled += offsets


class Life:
    """A handler of one process."""

    waits = False

    def __init__(self, world: World, error: BaseException) -> None:
        self._world = world
        self._error = error
        self._deaths = Deaths(world.store)

    async def trust(self, slice_: Slice) -> Trust:
        """As noted."""
        return await self._deaths.trust(slice_)

    async def note_alone(self, slice_: Slice) -> None:
        """Noted."""
        await self._deaths.note_alone(slice_)

    async def acquit(self, slice_: Slice) -> None:
        """Noted."""
        await self._deaths.acquit(slice_)

    async def handle(self, slice_: Slice) -> None:
        """Handle it, or die."""
        self._world.take(slice_, self._error)

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Note it."""
        (record,) = slice_.records
        self._world.aside.append((record.offset, str(error)))


ALL = [at for at in range(40) if at % 5 != 4]


@pytest.mark.parametrize(
    ("deadly", "most", "deaths"),
    [
        (0, 1000, 4),
        (17, 1000, 4),
        (38, 1000, 4),
        (0, 1, 4),
        # Whoever came to it first began elsewhere, and noted that.
        (17, 7, 5),
        (38, 7, 5),
        (17, 1, 5),
    ],
)
async def test_after_a_few_deaths_the_record_is_set_aside_and_all_others_are_handled(
    deadly: int, most: int, deaths: int
) -> None:
    world = World(deadly)
    assert [await world.live(most=most) for _ in range(deaths)] == [False] * deaths
    assert await world.live(most=most)
    assert [offset for offset, _ in world.aside] == [deadly]
    assert "processes ended without a word" in world.aside[0][1]
    assert world.handled == [at for at in ALL if at != deadly]


async def test_two_such_records_in_one_slice_are_both_found() -> None:
    world = World(3, 21)
    assert [await world.live() for _ in range(7)] == [*[False] * 6, True]
    assert [offset for offset, _ in world.aside] == [3, 21]
    assert world.handled == [at for at in ALL if at not in (3, 21)]


async def test_a_process_that_ends_by_what_is_broken_around_it_accuses_no_record() -> None:
    world = World(3)
    for _ in range(9):
        assert not await world.live(Unavailable("the disk is full"))
    assert world.aside == []
    world._deadly = ()
    assert await world.live()
    assert world.handled == ALL


async def test_processes_that_are_killed_but_get_on_between_accuse_no_record() -> None:
    world = World()
    for deadly in (2, 11, 22, 31):
        world._deadly, world._end = (deadly,), 40
        for _ in range(2):
            assert not await world.live(most=5)
        world._deadly, world._end = (), deadly + 2
        assert await world.live(most=5)
    world._end = 40
    assert await world.live()
    assert world.aside == []
    assert world.handled == ALL


async def test_a_record_with_which_one_process_was_killed_alone_is_tried_again() -> None:
    world = World(17)
    for _ in range(3):
        assert not await world.live()
    world._deadly = ()
    assert await world.live()
    assert (world.aside, world.handled) == ([], ALL)


class Bystander(Life):
    """The handler of another topic, whose record is always in hand when the process ends."""

    async def handle(self, slice_: Slice) -> None:
        """Wait for Kafka, as every slice does."""
        for _ in range(10):
            await asyncio.sleep(0)


async def test_what_was_in_hand_beside_the_deadly_record_is_not_accused() -> None:
    world, others = World(0), World()
    others.store, record = world.store, slice_of(0, 1, OTHER)
    done: list[Slice] = []
    for _ in range(4):
        beside = Bystander(others, Ended())
        working = asyncio.create_task(handle_with_care(beside, record, done.append))
        await asyncio.sleep(0)
        assert not await world.live()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        if done:
            break
    assert done == [record]
    assert others.aside == []


async def test_whoever_has_no_such_predecessor_writes_once_a_topic() -> None:
    store = MemoryStore()
    deaths = Deaths(store)
    for start in range(0, 50, 10):
        assert await deaths.trust(slice_of(start, start + 10)) is Trust.WHOLE
        assert await deaths.trust(slice_of(start, start + 10, OTHER)) is Trust.WHOLE
        assert len(store.stored) == 2


async def test_care_ends_where_the_largest_slice_would_have_ended() -> None:
    world = World(end=3 * RECORDS)
    world._deadly = (0,)
    for _ in range(3):
        await world.live()
    world._deadly = ()
    life = Life(world, Ended())
    trust = await life.trust(slice_of(0, RECORDS))
    assert trust is Trust.ALONE
    await handle_with_care(life, slice_of(0, 1), lambda _: None)
    assert await life.trust(slice_of(RECORDS - 10, RECORDS + 10)) is Trust.ALONE
    assert await life.trust(slice_of(RECORDS, 2 * RECORDS)) is Trust.WHOLE


class Broken(MemoryStore):
    """A store whose changelog is away."""

    async def write(
        self,
        changes: Changes,
        frontier: tuple[str, int] | None = None,
        outputs: Records = NO_RECORDS,
        later: Records = NO_RECORDS,
    ) -> Unsent:
        """Refuse it."""
        raise Unavailable("no broker answers")


async def test_whoever_ends_by_what_is_broken_need_not_be_able_to_say_so() -> None:
    """It ends by that, and not by what it could not note."""
    await Deaths(Broken()).acquit(slice_of(0, 5))
    with pytest.raises(Unavailable, match="no broker answers"):
        await Deaths(Broken()).note_alone(slice_of(0, 2))


async def test_what_is_noted_is_of_one_topic_and_of_where_it_began() -> None:
    store = MemoryStore()
    await Deaths(store).trust(slice_of(5, 10))
    await Deaths(store).trust(slice_of(5, 10))
    await Deaths(store).trust(slice_of(0, 5, OTHER))
    here, there = b"y\x00\x06events", b"y\x00\x07follows"
    assert store.stored == {here: b"\x93\x05\x02\x00", there: b"\x93\x00\x01\x00"}
    # Whoever begins elsewhere is the first there.
    await Deaths(store).trust(slice_of(6, 10))
    assert store.stored[here] == b"\x93\x06\x01\x00"
    await Deaths(store).note_alone(slice_of(6, 8))
    await Deaths(store).note_alone(slice_of(6, 8))
    assert store.stored[here] == b"\x93\x06\x01\x02"
    await Deaths(store).note_alone(slice_of(7, 9))
    assert store.stored[here] == b"\x93\x07\x01\x01"
    await Deaths(store).acquit(slice_of(7, 9))
    assert store.stored == {there: b"\x93\x00\x01\x00"}


def test_a_row_that_says_where_it_began_and_no_more_is_of_one_process() -> None:
    assert read(BEGUN, b"y", [5]) == Begun(5, 1, 0)
    assert read(BEGUN, b"y", [5, 2, 1]) == Begun(5, 2, 1)
    assert written(BEGUN, Begun(5, 2, 1)) == {b"ykey": [5, 2, 1]}
