"""When a partition counts as read to its end: only then does the clock alone say what is due."""

from pipeline.consuming.cursor import Cursor


def cursor_at(position: int, end: int | None = None) -> Cursor:
    cursor = Cursor(position, end=end)
    cursor.seek_pending = False
    return cursor


def test_nothing_is_known_before_the_broker_answered() -> None:
    assert not cursor_at(5).is_at_end(5)


def test_it_is_at_the_end_when_all_that_was_there_is_done() -> None:
    cursor = cursor_at(5, end=5)
    assert cursor.is_at_end(5)
    cursor.end = 9
    assert not cursor.is_at_end(5)
    cursor.position = 9  # handed on, and not done yet
    assert not cursor.is_at_end(5)
    assert cursor.is_at_end(9)


def test_a_seek_takes_all_of_that_back() -> None:
    cursor = cursor_at(5, end=5)
    cursor.seek(3)
    assert not cursor.is_at_end(3)
    cursor.seek_pending = False
    assert not cursor.is_at_end(3)
