from hypothesis import given
from hypothesis import strategies as st

from policy.dedupe import HOUR_MS, MARKS_KEPT, Mark, mark_key, remember
from policy.identity import notification_id


def mark(at: int, hours: int = 24, offset: int = 0) -> Mark:
    return Mark(0, offset, at, hours)


@given(st.lists(st.integers(0, 100 * HOUR_MS), max_size=60))
def test_marks_within_their_window_are_kept_in_any_order(moments: list[int]) -> None:
    marks: dict[bytes, Mark] = {}
    for number, at in enumerate(moments):
        marks = remember(marks, number.to_bytes(8), mark(at))
    newest = max(moments, default=0)
    for number, at in enumerate(moments):
        if newest - at < 24 * HOUR_MS:
            assert number.to_bytes(8) in marks


def test_marks_go_when_their_own_window_ends() -> None:
    marks = remember({}, b"short", mark(0, hours=1))
    marks = remember(marks, b"long", mark(1, hours=24))
    assert set(remember(marks, b"new", mark(HOUR_MS - 1))) == {b"short", b"long", b"new"}
    assert set(remember(marks, b"new", mark(HOUR_MS))) == {b"long", b"new"}
    assert set(remember(marks, b"new", mark(24 * HOUR_MS + 1))) == {b"new"}


def test_no_more_marks_than_the_cap_and_the_first_written_go() -> None:
    marks: dict[bytes, Mark] = {}
    for number in range(MARKS_KEPT + 10):
        marks = remember(marks, number.to_bytes(8), mark(number))
        assert len(marks) <= MARKS_KEPT
    assert list(marks) == [number.to_bytes(8) for number in range(10, MARKS_KEPT + 10)]


def test_a_mark_written_again_is_the_youngest_and_the_old_dict_is_untouched() -> None:
    marks = remember(remember({}, b"a", mark(0)), b"b", mark(1))
    again = remember(marks, b"a", mark(2, offset=7))
    assert list(again) == [b"b", b"a"]
    assert list(marks) == [b"a", b"b"]
    assert again[b"a"].offset == 7


def test_keys_are_short() -> None:
    assert len(mark_key(notification_id("t", "e", "u", "n"))) == 8
