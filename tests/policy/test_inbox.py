"""Counts are exact and states the same, in whatever order and however often changes come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.inbox import Counts, ItemState, changed
from schemas.inbox import InboxChange

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
kinds = st.sampled_from(["seen", "read", "unread", "archived", "unarchived"])


def change(kind: str, at: int) -> InboxChange:
    when = EPOCH + timedelta(milliseconds=at)
    return InboxChange(user="ann", kind=kind, at=when)  # type: ignore[arg-type]


# Each moment once: of two contradictions at one moment neither is the later.
histories = st.lists(st.tuples(kinds, st.integers(1, 10**6)), unique_by=lambda each: each[1])


@given(histories, st.randoms())
def test_order_and_repeats_change_nothing(history: list[tuple[str, int]], random: object) -> None:
    shuffled = history + history[: len(history) // 2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    states = []
    for order in (sorted(history, key=lambda each: each[1]), shuffled):
        state = ItemState()
        for kind, at in order:
            state = changed(state, change(kind, at))
        states.append(state)
    assert states[0] == states[1]
    last = dict(sorted(history, key=lambda each: each[1]))
    is_read = last.get("read", 0) > last.get("unread", 0)
    is_archived = last.get("archived", 0) > last.get("unarchived", 0)
    assert states[0].is_unread == (not is_read and not is_archived)
    was_seen = "seen" in last or "read" in last
    assert states[0].is_unseen == (not was_seen and not is_archived)


steps = st.lists(st.tuples(st.integers(0, 4), st.none() | kinds, st.integers(1, 10**6)))


@given(steps)
def test_counts_are_what_counting_gives(history: list[tuple[int, str | None, int]]) -> None:
    states: dict[int, ItemState] = {}
    counts, came, newest = Counts(), 0, 0
    for name, kind, at in history:
        before = states.get(name)
        if before is None:
            after = ItemState()
        elif kind is None:
            after = None
        else:
            after = changed(before, change(kind, at))
        counts = counts.came(name + 1) if before is None else counts.moved(before, after)
        states = {k: v for k, v in {**states, name: after}.items() if v is not None}
        kept = states.values()
        came += before is None
        newest = max(newest, name + 1)
        unread, unseen = sum(s.is_unread for s in kept), sum(s.is_unseen for s in kept)
        assert counts == Counts(len(kept), unread, unseen, came, newest)
        assert not counts.may_hold(newest + 1)
        assert counts.may_hold(newest)


def test_a_row_of_before_may_hold_anything() -> None:
    before = Counts(items=1, unread=1, unseen=1, last=1)
    assert before.may_hold(9)
    assert before.came(5).may_hold(9)
    assert not Counts().may_hold(9)


def test_what_is_snoozed_counts_and_the_later_snooze_holds() -> None:
    def snoozed(at: int, until: int) -> InboxChange:
        moments = [EPOCH + timedelta(milliseconds=ms) for ms in (at, until)]
        return InboxChange(user="ann", kind="snoozed", at=moments[0], until=moments[1])

    state = changed(changed(ItemState(), snoozed(5, 900)), snoozed(3, 500))
    assert (state.snoozed_until, state.is_unread) == (900, True)


def did(kind: str, at: int = 10, **fields: Any) -> InboxChange:
    moment = EPOCH + timedelta(milliseconds=at)
    return InboxChange(user="ann", kind=kind, at=moment, **fields)  # type: ignore[arg-type]


UNTIL = EPOCH + timedelta(milliseconds=99)


def opened(at: int, seen_at: int, read_at: int) -> ItemState:
    return ItemState(seen_at, read_at, opened_at=at)


def test_rows_of_before_say_that_they_were_opened_while_they_are_read() -> None:
    rows = ItemState(5, 10), ItemState(5, -10), opened(3, 5, -10), ItemState(5)
    assert [row.was_opened for row in rows] == [True, False, True, False]


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (ItemState(), did("seen"), ItemState(seen_at=10)),
        # The first look counts, in whatever order they are told.
        (ItemState(seen_at=5), did("seen"), ItemState(seen_at=5)),
        (ItemState(seen_at=10), did("seen"), ItemState(seen_at=10)),
        (ItemState(seen_at=11), did("seen"), ItemState(seen_at=10)),
        (ItemState(), did("read"), ItemState(seen_at=10, read_at=10, opened_at=10)),
        # The first reading too, whatever was undone since.
        (opened(8, 5, 8), did("read"), opened(8, 5, 10)),
        (opened(10, 5, 10), did("read"), opened(10, 5, 10)),
        (opened(11, 50, 11), did("read"), opened(10, 10, 11)),
        (opened(5, 5, -9), did("read"), opened(5, 5, 10)),
        (ItemState(5, -9), did("read"), opened(10, 5, 10)),
        (ItemState(5, -10), did("read"), opened(10, 5, -10)),
        (ItemState(5, 9), did("unread"), ItemState(5, -10)),
        (ItemState(5, 10), did("unread"), ItemState(5, 10)),
        (ItemState(5, -11), did("unread"), ItemState(5, -11)),
        (ItemState(), did("archived"), ItemState(archived_at=10)),
        (ItemState(archived_at=-9), did("archived"), ItemState(archived_at=10)),
        (ItemState(archived_at=-10), did("archived"), ItemState(archived_at=-10)),
        (ItemState(archived_at=9), did("unarchived"), ItemState(archived_at=-10)),
        (ItemState(archived_at=10), did("unarchived"), ItemState(archived_at=10)),
        (ItemState(), did("snoozed", until=UNTIL), ItemState(snoozed_at=10, snoozed_until=99)),
        (ItemState(0, 0, 0, 9, 50), did("snoozed"), ItemState(0, 0, 0, 10, 0)),
        (ItemState(0, 0, 0, 10, 50), did("snoozed"), ItemState(0, 0, 0, 10, 50)),
        # A clock that stands at its beginning.
        (ItemState(), did("read", 0), opened(1, 1, 1)),
        (ItemState(), did("unread", 0), ItemState(0, -1)),
    ],
)
def test_what_a_change_makes_of_an_item(
    before: ItemState, change: InboxChange, after: ItemState
) -> None:
    assert changed(before, change) == after


@pytest.mark.parametrize(
    ("state", "is_unread", "is_unseen"),
    [
        (ItemState(), True, True),
        (ItemState(seen_at=1), True, False),
        (ItemState(1, 1), False, False),
        (ItemState(1, -1), True, False),
        (ItemState(0, 0, 1), False, False),
        (ItemState(0, 0, -1), True, True),
        (ItemState(0, 0, 0, 9, 99), True, True),
    ],
)
def test_what_counts_as_unread_and_unseen(
    state: ItemState, is_unread: bool, is_unseen: bool
) -> None:
    assert (state.is_unread, state.is_unseen) == (is_unread, is_unseen)


def test_counts_by_hand() -> None:
    counts = Counts().came(50).came(40)
    assert counts == Counts(2, 2, 2, 2, 50)
    assert [counts.may_hold(at) for at in (40, 50, 51)] == [True, True, False]
    counts = counts.moved(ItemState(), ItemState(1, 1))
    assert counts == Counts(2, 1, 1, 2, 50)
    assert counts.moved(ItemState(1, 1), None) == Counts(1, 1, 1, 2, 50)
    assert counts.moved(ItemState(), None) == Counts(1, 0, 0, 2, 50)
    assert counts.moved(ItemState(1, 1), ItemState()) == Counts(2, 2, 2, 2, 50)
    # Of rows of before it is not known which was the newest, and never will be.
    assert Counts(1, 1, 1, 1).came(9) == Counts(2, 2, 2, 2, 0)
