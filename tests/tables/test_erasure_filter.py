"""Whom to forget is itself forgotten, once nothing older can come."""

from collections.abc import Sequence

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from schemas.erasure import Erasure
from tables.erasure_filter import (
    ERASED,
    ERASING,
    REMEMBERED_MS,
    Erasing,
    ErasureFilter,
    is_forgotten,
    note_erasures,
)
from tables.storage.memory_store import MemoryStore
from tests.tables.stored import read, turn_of, written

DAY_MS = 86_400_000
names = st.sampled_from(["", "a", "b", "ab", "ba"])


async def test_that_nobody_was_erased_is_believed_only_until_somebody_is() -> None:
    store = MemoryStore()
    for transaction in (turn_of(store), turn_of(store)):
        assert ErasureFilter(transaction).is_empty
        await transaction.commit()
    transaction = turn_of(store)
    ErasureFilter(transaction).note("t", "ada", 1000)
    assert not ErasureFilter(transaction).is_empty
    await transaction.commit()
    assert not ErasureFilter(turn_of(store)).is_empty


def test_who_was_erased_long_ago_is_known_no_more() -> None:
    transaction = turn_of(MemoryStore())
    assert ErasureFilter(transaction).is_empty
    ErasureFilter(transaction).note("t", "ada", 1000)
    assert ErasureFilter(transaction).covers("t", "ada", 1000)
    assert not ErasureFilter(transaction).covers("t", "ada", 1001)
    assert not ErasureFilter(transaction).covers("ta", "da", 1000)
    ErasureFilter(transaction).note("t", "bob", 1000 + REMEMBERED_MS)
    assert ErasureFilter(transaction).covers("t", "ada", 1000)
    # Each looks at its neighbours alone, so it takes some until all places were looked at.
    for number in range(100):
        ErasureFilter(transaction).note("t", f"cy-{number}", 1001 + REMEMBERED_MS)
    assert not ErasureFilter(transaction).covers("t", "ada", 1000)


def erasure(tenant: str, user: str, at: int) -> tuple[ConsumerRecord, Erasure]:
    record = ConsumerRecord("erasures", 0, 0, at, 0, b"k", b"v", None, 1, 1, ())
    return record, Erasure(tenant=tenant, user=user)


async def test_what_was_taken_until_the_erasure_is_forgotten_of_that_tenants_user_alone() -> None:
    store = MemoryStore()
    transaction = turn_of(store)
    note_erasures(transaction, [erasure("t", "ada", 1000), erasure("t", "bob", 2000)])
    await transaction.commit()
    for forgotten in (ErasureFilter(transaction), ErasureFilter(turn_of(store))):
        asked = [("t", "ada"), ("t", "bob"), ("other", "ada"), ("ta", "da"), ("t", "adam")]
        assert [forgotten.erased_at(*who) for who in asked] == [1000, 2000, 0, 0, 0]
        assert forgotten.covers("t", "ada", 1000)
        assert not forgotten.covers("t", "ada", 1001)
    assert is_forgotten(store, "t", "ada", 1000)
    assert not is_forgotten(store, "t", "ada", 1001)
    assert not is_forgotten(store, "other", "ada", 1)
    assert not is_forgotten(store, "t", "cy", 1)


def test_who_is_erased_twice_is_forgotten_up_to_the_later_one_in_whatever_order_they_come() -> None:
    for first, second in ((1000, 3000), (3000, 1000)):
        transaction = turn_of(MemoryStore())
        ErasureFilter(transaction).note("t", "ada", first)
        ErasureFilter(transaction).note("t", "ada", second)
        assert ErasureFilter(transaction).erased_at("t", "ada") == 3000


def test_it_is_remembered_longer_than_any_topic_holds_what_is_older() -> None:
    """Dead letters are there for 30 days, in segments of a day at most; to the millisecond."""
    transaction = turn_of(MemoryStore())
    ErasureFilter(transaction).note("t", "ada", 1000)
    for later, is_remembered in ((1000 + 31 * DAY_MS, True), (1000 + 40 * DAY_MS, False)):
        for number in range(50):
            ErasureFilter(transaction).note("t", f"cy-{number}", later)
        assert ErasureFilter(transaction).covers("t", "ada", 1000) == is_remembered


def test_at_the_very_end_of_its_time_it_is_still_remembered() -> None:
    transaction = turn_of(MemoryStore())
    for at in (5, 6):
        ErasureFilter(transaction).note("t", f"at-{at}", at)
    for number in range(50):
        ErasureFilter(transaction).note("t", f"cy-{number}", 6 + REMEMBERED_MS)
    assert [ErasureFilter(transaction).erased_at("t", f"at-{at}") for at in (5, 6)] == [0, 6]


def test_noting_one_looks_at_few_of_the_others() -> None:
    """However many there are, an erasure costs the same: four more go, of those behind it."""
    transaction = turn_of(MemoryStore())
    for number in range(100):
        ErasureFilter(transaction).note("t", f"old-{number}", 1000)
    before = len(list(transaction.view(ERASED).keys(b"")))
    lowest = next(iter(transaction.view(ERASED).keys(b"")))
    # Whoever stands before all of them looks at the first four.
    name = next(name for name in map(str, range(10_000)) if _stands_before(name, lowest))
    ErasureFilter(transaction).note("t", name, 1001 + REMEMBERED_MS)
    assert (before, len(list(transaction.view(ERASED).keys(b"")))) == (100, 100 - 4 + 1)


def _stands_before(name: str, place: bytes) -> bool:
    transaction = turn_of(MemoryStore())
    ErasureFilter(transaction).note("t", name, 1)
    return next(iter(transaction.view(ERASED).keys(b""))) < place


def test_erasures_are_stored_as_the_last_release_stores_them() -> None:
    transaction = turn_of(MemoryStore())
    ErasureFilter(transaction).note("t", "ada", 1_772_366_400_000)
    # SHA-256 of 00 01 74 00 03 61 64 61, its first half.
    place = bytes.fromhex("383e971d7eb0b94c527a6712060f41a7")
    assert transaction.view(ERASED).changes() == {
        b"z" + place: b"\xcf" + (1_772_366_400_000).to_bytes(8, "big")
    }
    assert written(ERASING, Erasing(1000, b"x")) == {b"rkey": [1000, b"x"]}
    assert read(ERASING, b"r", [1000, b"x"]) == Erasing(1000, b"x")
    assert read(ERASING, b"r", [1000]) == Erasing(1000, b"")


async def test_where_nobody_was_erased_nobody_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    assert not is_forgotten(store, "t", "ada", 1)
    read, asked = store.get_many, list[bytes]()

    def noted(keys: Sequence[bytes]) -> list[bytes | None]:
        asked.extend(keys)
        return read(keys)

    monkeypatch.setattr(store, "get_many", noted)
    assert not is_forgotten(store, "t", "ada", 1)
    assert asked == []
    transaction = turn_of(store)
    ErasureFilter(transaction).note("t", "ada", 5)
    await transaction.commit()
    assert is_forgotten(store, "t", "ada", 5)
    assert len(asked) > 0


@given(st.lists(st.tuples(names, names, st.integers(1, 50)), max_size=15), names, names)
async def test_whoever_was_erased_is_known_by_when_that_was(
    erased: list[tuple[str, str, int]], tenant: str, user: str
) -> None:
    store = MemoryStore()
    for each in erased:
        transaction = turn_of(store)
        ErasureFilter(transaction).note(*each)
        await transaction.commit()
    expected = max((at for t, u, at in erased if (t, u) == (tenant, user)), default=0)
    assert ErasureFilter(turn_of(store)).erased_at(tenant, user) == expected
    assert is_forgotten(store, tenant, user, expected)
    assert not is_forgotten(store, tenant, user, expected + 1)
