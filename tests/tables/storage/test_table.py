"""Keys, and tables as one slice sees them."""

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from pipeline.processing.slices import Slice, cut
from pipeline.producing.outputs import Outputs
from schemas.errors import Unavailable
from schemas.topics import Topic
from tables.storage.table import View, key_of, last_part
from tables.storage.transaction import Transaction
from tests.tables.ground import COUNTS, NOTES, TOPIC, Ground, Note, notes

OUT = Topic(name=TOPIC.name, key="", written_by="", read_by="")

parts = st.lists(st.text(max_size=5), min_size=1, max_size=4)


@given(parts, parts)
def test_no_two_tuples_have_one_key_and_only_longer_ones_begin_with_it(
    one: list[str], other: list[str]
) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)
    assert key_of(*other).startswith(key_of(*one)) == (other[: len(one)] == one)


@given(parts)
def test_the_last_part_is_what_it_was(given_parts: list[str]) -> None:
    assert last_part(key_of(*given_parts)) == given_parts[-1]


def slice_to(end: int) -> Slice:
    """A slice of `events` that ends there."""
    record = ConsumerRecord("events", 0, end - 1, 0, 0, b"k", b"v", None, 1, 1, ())
    (slice_,) = cut(TopicPartition("events", 0), 0, end - 1, [record])
    return slice_


async def test_a_view_shows_what_is_stored_under_what_was_written(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(notes({"kept": "old", "changed": "old", "deleted": "old"}))
        view = View(NOTES, store)
        view.put(b"changed", Note("new"))
        view.put(b"deleted", None)
        view.put(b"added", Note("new"))
        view.put(b"come and gone", Note("new"))
        view.put(b"come and gone", None)
        keys = [b"kept", b"changed", b"deleted", b"added", b"come and gone", b"unknown"]
        view.load(keys)
        found = {key: value.text if (value := view.get(key)) else None for key in keys}
        assert list(found.values()) == ["old", "new", None, "new", None, None]
        assert sorted(view.keys(b"")) == [b"added", b"changed", b"kept"]
        assert view.changes() == notes(
            {"changed": "new", "deleted": None, "added": "new", "come and gone": None}
        )


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [(b"a", [b"a1", b"a2", b"a4"]), (b"a2", [b"a2"]), (b"a3", []), (b"b", [b"b1"]), (b"x", [])],
)
async def test_a_view_finds_keys_by_their_beginning(
    ground: Ground, prefix: bytes, expected: list[bytes]
) -> None:
    async with ground.open() as store:
        await store.write(notes({"a1": "", "a2": "", "a3": "", "b1": ""}))
        await store.write({COUNTS.prefix + b"a9": COUNTS.encode(1)})
        view = View(NOTES, store)
        view.put(b"a2", Note("again"))
        view.put(b"a3", None)
        view.put(b"a4", Note("new"))
        assert sorted(view.keys(prefix)) == expected


async def test_what_is_written_between_two_looks_is_found_in_order(ground: Ground) -> None:
    async with ground.open() as store:
        await store.write(notes({"a2": "", "a4": ""}))
        view = View(NOTES, store)
        view.put(b"a3", Note("new"))
        assert list(view.keys(b"a")) == [b"a2", b"a3", b"a4"]
        for key in (b"a5", b"a1", b"b1"):
            view.put(key, Note("new"))
        view.put(b"a3", None)
        view.put(b"a4", None)
        assert list(view.keys(b"a")) == [b"a1", b"a2", b"a5"]
        view.put(b"a4", Note("back"))
        assert list(view.keys(b"a", b"a1")) == [b"a2", b"a4", b"a5"]
        assert list(view.keys(b"b")) == [b"b1"]


async def test_a_turn_stores_all_its_tables_and_its_frontier_at_once(ground: Ground) -> None:
    async with ground.open() as store:
        transaction = Transaction(slice_to(30), store, Outputs(ground.producer))
        transaction.view(NOTES).put(b"x", Note("y"))
        transaction.view(COUNTS).put(b"x", 7)
        assert transaction.view(COUNTS).get(b"x") == 7
        assert store.get_many([b"nx", b"cx"]) == [None, None]
        await transaction.commit()
        assert store.get_many([b"nx", b"cx"]) == [NOTES.encode(Note("y")), COUNTS.encode(7)]
    assert ground.producer.batches == 1
    assert await ground.frontiers("anew") == {"events": 30}


async def test_what_the_changelog_does_not_take_is_neither_stored_nor_sent(ground: Ground) -> None:
    async with ground.open() as store:
        transaction = Transaction(slice_to(30), store, Outputs(ground.producer))
        transaction.view(COUNTS).put(b"x", 7)
        transaction.outputs.add(OUT, ground.partition, b"cy", COUNTS.encode(1))
        ground.producer.dies_after = 0
        with pytest.raises(Unavailable):
            await transaction.commit()
        assert list(store.scan(b"c")) == []
    assert await ground.log() == []


async def test_state_is_stored_before_outputs_are_sent(ground: Ground) -> None:
    async with ground.open() as store:
        transaction = Transaction(slice_to(30), store, Outputs(ground.producer))
        transaction.view(COUNTS).put(b"x", 7)
        transaction.outputs.add(OUT, ground.partition, b"cy", COUNTS.encode(1))
        ground.producer.dies_after = 1
        with pytest.raises(Unavailable):
            await transaction.commit()
    ground.producer.dies_after = None
    assert await ground.frontiers("anew") == {"events": 30}
    assert b"cy" not in dict(await ground.log())


@pytest.mark.parametrize("is_output", [True, False])
async def test_what_kafka_would_never_take_is_the_records_fault_and_leaves_no_trace(
    ground: Ground, is_output: bool
) -> None:
    """Else it would be stored, and no successor could ever send it."""
    async with ground.open() as store:
        transaction = Transaction(slice_to(30), store, Outputs(ground.producer))
        large = 8 << 20
        with pytest.raises(ValueError, match="are possible"):
            if is_output:
                transaction.outputs.add(OUT, ground.partition, b"key", b"x" * large)
            transaction.view(NOTES).put(b"x", Note("x" * large))
            await transaction.commit()
    assert await ground.log() == []
