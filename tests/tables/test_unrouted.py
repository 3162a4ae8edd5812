"""Events that are written in steps: the most urgent goes on first, and of these the oldest."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.request import Origin
from schemas.vocabulary import Priority
from tables.storage.memory_store import MemoryStore
from tables.storage.table import View
from tables.unrouted import UNROUTED, Unrouted, unrouted_key
from tests.tables.stored import known, read, written
from tests.tables.test_pending import EVENT, ORIGIN, PLAIN_EVENT, PLAIN_ORIGIN

LEFT = Unrouted("shipped", EVENT, ORIGIN, 1000, 17)
PLAIN = ["shipped", PLAIN_EVENT, PLAIN_ORIGIN, 1000, 17]
CRITICAL, HIGH, NORMAL, LOW, BULK = Priority


def test_it_is_stored_as_the_last_release_stores_it() -> None:
    for is_bulk in (False, True):
        plain = [*PLAIN, is_bulk]
        stored = written(UNROUTED, replace(LEFT, is_bulk=is_bulk))
        assert known(stored, plain) == {b"kkey": plain}
    assert read(UNROUTED, b"k", [*PLAIN, True]) == replace(LEFT, is_bulk=True)


def test_one_of_before_goes_to_its_own_priority() -> None:
    found = read(UNROUTED, b"k", PLAIN)
    assert found == Unrouted("shipped", EVENT, ORIGIN, 1000, 17, is_bulk=False)


def test_where_it_stands() -> None:
    expected = b"\x00\x011\x00\x14" + b"0" * 17 + b"258" + b"\x00\x07shipped\x00\x013"
    assert unrouted_key(LEFT, HIGH) == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from([CRITICAL, HIGH, NORMAL, LOW]),
            st.booleans(),
            st.sampled_from([0, 9, 10, 99, 100, 2**40]),
            st.sampled_from(["a", "ab", "b"]),
            st.integers(0, 2),
        ),
        unique=True,
    ),
    st.randoms(),
)
def test_all_go_by_urgency_and_then_as_they_came(
    rows: list[tuple[Priority, bool, int, str, int]], dice: random.Random
) -> None:
    """Of a tenant beyond its share last, whatever its type; none takes another's place."""
    view = View(UNROUTED, MemoryStore())
    dice.shuffle(rows)
    placed = {}
    for priority, is_bulk, offset, type_, partition in rows:
        left = Unrouted(type_, EVENT, Origin("events", partition, offset), 0, 1, is_bulk)
        urgency = 4 if is_bulk else [CRITICAL, HIGH, NORMAL, LOW].index(priority)
        placed[urgency, offset, type_, partition] = left
        view.put(unrouted_key(left, priority), left)
    order = [placed_at for placed_at, _ in sorted(placed.items(), key=lambda each: each[0])]
    # Of one offset by the length of the type's name and then the name, which nobody relies on.
    order.sort(key=lambda at: (at[0], at[1], len(at[2]), at[2], at[3]))
    assert [view.get(key) for key in view.keys(b"")] == [placed[at] for at in order]


@pytest.mark.parametrize("priority", [CRITICAL, LOW])
def test_what_is_bulk_has_one_place_whatever_its_type_says(priority: Priority) -> None:
    left = replace(LEFT, is_bulk=True)
    assert unrouted_key(left, priority) == unrouted_key(LEFT, BULK)
