"""Deduplication marks: kept through their window, few and in order, and found among the others."""

from hypothesis import given
from hypothesis import strategies as st

from policy.dedupe import (
    HOUR_MS,
    MARKS_KEPT,
    NO_MARKS,
    Mark,
    all_marks,
    mark_key,
    mark_of,
    remember,
)
from policy.identity import notification_id

A, B, C = b"aaaaaaaa", b"bbbbbbbb", b"cccccccc"
marks_ = st.builds(
    Mark,
    st.integers(-1, (1 << 31) - 1),
    st.integers(-1, (1 << 63) - 1),
    st.integers(-HOUR_MS, HOUR_MS),
    st.integers(3, 744),
    st.sampled_from(["", "0123456789abcdef", "0000000000000000"]),
)
# Few letters, so that keys are found across entries, and in what entries hold beside keys.
keys = st.text("\0a", min_size=8, max_size=8).map(str.encode)


def mark(at: int, hours: int = 24, offset: int = 0) -> Mark:
    return Mark(0, offset, at, hours)


def keys_of(marks: bytes) -> list[bytes]:
    return [key for key, _ in all_marks(marks)]


@given(st.lists(st.tuples(keys, marks_), max_size=30))
def test_what_was_remembered_last_under_a_key_is_found(written: list[tuple[bytes, Mark]]) -> None:
    marks, expected = NO_MARKS, dict[bytes, Mark]()
    for key, one in written:
        marks = remember(marks, key, one)
        expected.pop(key, None)
        expected[key] = one
        assert list(all_marks(marks)) == list(expected.items())
    for key in (b"\0" * 8, b"a" * 8, *expected):
        assert mark_of(marks, key) == expected.get(key)


@given(st.lists(st.integers(0, 100 * HOUR_MS), max_size=60))
def test_marks_within_their_window_are_kept_in_any_order(moments: list[int]) -> None:
    marks = NO_MARKS
    for number, at in enumerate(moments):
        marks = remember(marks, number.to_bytes(8), mark(at))
    newest = max(moments, default=0)
    for number, at in enumerate(moments):
        if newest - at < 24 * HOUR_MS:
            assert mark_of(marks, number.to_bytes(8)) == mark(at)


def test_marks_go_when_their_own_window_ends() -> None:
    marks = remember(NO_MARKS, A, mark(0, hours=1))
    marks = remember(marks, B, mark(1, hours=24))
    assert keys_of(remember(marks, C, mark(HOUR_MS - 1))) == [A, B, C]
    assert keys_of(remember(marks, C, mark(HOUR_MS))) == [B, C]
    assert keys_of(remember(marks, C, mark(24 * HOUR_MS + 1))) == [C]


def test_no_more_marks_than_the_cap_and_the_first_written_go() -> None:
    marks = NO_MARKS
    for number in range(MARKS_KEPT + 10):
        marks = remember(marks, number.to_bytes(8), mark(number))
        assert len(keys_of(marks)) <= MARKS_KEPT
    assert keys_of(marks) == [number.to_bytes(8) for number in range(10, MARKS_KEPT + 10)]


def test_a_mark_written_again_is_the_youngest() -> None:
    marks = remember(remember(NO_MARKS, A, mark(0)), B, mark(1))
    again = remember(marks, A, mark(2, offset=7))
    assert list(all_marks(again)) == [(B, mark(1)), (A, mark(2, offset=7))]


def test_a_key_known_to_be_new_need_not_be_looked_for() -> None:
    marks = remember(NO_MARKS, A, mark(0))
    assert remember(marks, B, mark(1), is_new=True) == remember(marks, B, mark(1))


def test_keys_are_short() -> None:
    assert len(mark_key(notification_id("t", "e", "u", "n"))) == 8
