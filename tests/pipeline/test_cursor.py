"""When a partition counts as read to its end: only then does the clock alone say what is due."""

from pipeline.cursor import IDLE, Cursor


def cursor_at(position: int) -> Cursor:
    cursor = Cursor(position)
    cursor.seek_pending = False
    return cursor


def test_nothing_is_known_before_the_broker_answered() -> None:
    cursor = cursor_at(5)
    assert not cursor.is_at_end(5, 0.0)
    cursor.hear(None, False, 0.0)
    assert not cursor.is_at_end(5, 100.0)


def test_it_is_at_the_end_when_all_that_was_there_is_done() -> None:
    cursor = cursor_at(5)
    cursor.hear(5, False, 0.0)
    assert cursor.is_at_end(5, 0.0)
    cursor.hear(9, True, 0.1)
    assert not cursor.is_at_end(5, 0.1)
    cursor.position = 9  # handed on, and not done yet
    assert not cursor.is_at_end(5, 60.0)
    assert cursor.is_at_end(9, 60.0)


def test_what_are_no_records_is_not_waited_for() -> None:
    """A transaction marker stands at the end of the log for good."""
    cursor = cursor_at(5)
    cursor.hear(6, False, 1.0)
    assert not cursor.is_at_end(5, 1.0 + IDLE)
    assert cursor.is_at_end(5, 1.1 + IDLE)
    cursor.hear(8, True, 4.0)
    assert not cursor.is_at_end(5, 100.0)


def test_a_seek_takes_all_of_that_back() -> None:
    cursor = cursor_at(5)
    cursor.hear(5, False, 0.0)
    cursor.seek(3)
    assert not cursor.is_at_end(3, 100.0)
    cursor.seek_pending = False
    assert not cursor.is_at_end(3, 100.0)
