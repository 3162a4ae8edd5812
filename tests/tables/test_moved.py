"""Records that were moved here: each is taken once, also when they are moved again."""

from itertools import count

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from pipeline.processing.misplaced import SourcedRecord, stood
from pipeline.records.made_record import make_record
from schemas.misplaced import Misplaced
from tables.moved import MOVED, Mark, without_repeats
from tables.storage.memory_store import MemoryStore
from tests.tables.stored import bytes_read_again, read, turn_of, written

_places = count()
Place = tuple[str, int, int, int]
"""Topic, partition, offset and the time of acceptance."""


def record(topic: str, partition: int, offset: int, at: int) -> ConsumerRecord:
    return ConsumerRecord(topic, partition, offset, at, 0, b"k", b"v", None, 1, 1, ())


async def taken(store: MemoryStore, *places: Place) -> list[Place]:
    """Which of these are taken, in one transaction."""
    transaction = turn_of(store)
    given_values = [(record(*place), f"of {place}") for place in places]
    found = list(without_repeats(transaction, given_values))
    await transaction.commit()
    assert all(value == f"of {place_of(each)}" for each, value in found)
    return [place_of(each) for each, _ in found]


def place_of(each: ConsumerRecord) -> Place:
    return each.topic, each.partition, each.offset, each.timestamp


async def test_what_is_moved_again_is_not_taken_again() -> None:
    store = MemoryStore()
    first = [("events", 0, offset, 1000 + offset) for offset in (0, 1, 5)]
    assert await taken(store, *first) == first
    # After a crash the same are moved again, and more behind them.
    more = [("events", 0, 6, 1006), ("events", 0, 9, 1006)]
    assert await taken(store, *first[1:], *more) == more
    assert await taken(store, *first, *more) == []


async def test_what_stands_twice_in_one_turn_is_taken_once() -> None:
    one, two = ("events", 0, 7, 50), ("events", 0, 8, 50)
    assert await taken(MemoryStore(), one, one, two, one) == [one, two]


async def test_each_source_counts_by_itself() -> None:
    store = MemoryStore()
    assert await taken(store, ("events", 1, 100, 50)) == [("events", 1, 100, 50)]
    others = [("events", 0, 3, 50), ("follows", 1, 3, 50), ("events", 11, 3, 50)]
    assert await taken(store, *others, ("events", 1, 3, 50)) == others


async def test_what_comes_straight_makes_nothing_of_the_other_way_a_repeat() -> None:
    store = MemoryStore()

    async def are_taken(*offsets: int) -> list[int]:
        said = [
            Misplaced(
                topic="events",
                partition=0,
                offset=offset,
                accepted_at=50,
                value=Raw(b"1"),
                direct=True,
            )
            for offset in offsets
        ]
        transaction = turn_of(store)
        records = [(stood(each, ["events"], 1), None) for each in said]
        found = [each.offset for each, _ in without_repeats(transaction, records)]
        await transaction.commit()
        return found

    assert await are_taken(8, 9) == [8, 9]
    assert await taken(store, ("events", 0, 7, 50)) == [("events", 0, 7, 50)]
    assert await are_taken(8, 9, 10) == [10]
    assert await taken(store, ("events", 0, 7, 50)) == []


async def test_the_first_of_all_is_taken_whenever_it_was_accepted() -> None:
    for at in (0, -1, 10**15):
        assert await taken(MemoryStore(), ("events", 0, 0, at)) == [("events", 0, 0, at)]


async def test_a_topic_made_anew_is_known_by_its_times() -> None:
    """Its offsets begin again; what is newer than all that was taken is no repeat."""
    store = MemoryStore()
    await taken(store, ("events", 0, 40, 1000), ("events", 0, 41, 900))
    assert await taken(store, ("events", 0, 0, 1000), ("events", 0, 1, 950)) == []
    anew = [("events", 0, 2, 1001), ("events", 0, 3, 1001)]
    assert await taken(store, *anew) == anew
    assert await taken(store, *anew) == []


def sourced(source: str, topic: str, partition: int, offset: int, since: int) -> SourcedRecord:
    """What a source made of that record; it stands elsewhere, and was accepted at any time."""
    place = "placed.router", 0, next(_places)
    made = make_record(SourcedRecord, *place, 10**12 + offset, b"k", b"v")
    made.origin = Misplaced(
        topic=topic,
        partition=partition,
        offset=offset,
        accepted_at=0,
        value=Raw(b"1"),
        source=source,
        into="events",
        since=since,
    )
    return made


async def test_of_what_a_source_reads_each_record_is_taken_once_by_source_and_topic() -> None:
    """By its place alone: a repeat may be accepted at another time, as there may be no clock."""
    store = MemoryStore()

    async def are_taken(*records: SourcedRecord) -> list[int]:
        transaction = turn_of(store)
        found = list(without_repeats(transaction, [(each, None) for each in records]))
        await transaction.commit()
        return [each.origin.offset for each, _ in found if isinstance(each, SourcedRecord)]

    assert await are_taken(*(sourced("a", "t", 70_000, at, 5) for at in (0, 3))) == [0, 3]
    again = [sourced("a", "t", 70_000, at, 5) for at in (0, 3, 4, 4)]
    assert await are_taken(*again) == [4]
    others = ("b", "t", 70_000), ("a", "u", 70_000), ("a", "t", 1)
    assert await are_taken(*(sourced(*other, 0, 5) for other in others)) == [0, 0, 0]
    assert await are_taken(sourced("a", "t", 70_000, 0, 6)) == [0], "it was made anew"
    assert await taken(store, ("t", 1, 0, 50)) == [("t", 1, 0, 50)], "no source's, though alike"


async def test_a_mark_is_stored_as_the_last_release_stores_it() -> None:
    store = MemoryStore()
    await taken(store, ("events", 3, 257, 70_000), ("events", 3, 258, 65_000))
    key = b"M\x00\x06events\x00\x013"
    assert store.stored == {key: b"\x92\xcd\x01\x03\xce\x00\x01\x11\x70"}
    assert written(MOVED, Mark(259, 70_000)) == {b"Mkey": [259, 70_000]}
    assert read(MOVED, b"M", [259, 70_000]) == Mark(259, 70_000)


async def test_marks_of_sources_that_are_read_are_at_hand() -> None:
    assert await bytes_read_again(MOVED, Mark(1, 2)) == 0


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 5))
async def test_whoever_begins_anew_again_and_again_gets_each_through_once(
    restarts: list[int], at_once: int
) -> None:
    """A mover that goes back by some records at each start, and keeps the order."""
    source = [("events", 0, offset, 1000 + offset // 3) for offset in range(0, 60, 2)]
    store, at, found = MemoryStore(), 0, list[Place]()
    for back in [*restarts, *[0] * 30]:
        at = max(0, at - back)
        found += await taken(store, *source[at : at + at_once])
        at = min(len(source), at + at_once)
    assert found == source
