"""When a source refuses too much of what it reads."""

from agents.intake.refusals import WINDOW, Refusals


def test_nothing_is_told_before_so_many_were_looked_at() -> None:
    refusals = Refusals()
    assert {refusals.note(("t", 0, number)) for number in range(WINDOW - 1)} == {0}
    assert refusals.note(("t", 0, WINDOW)) == WINDOW


def test_those_count_that_are_among_the_last() -> None:
    refusals = Refusals()
    for number in range(50):
        refusals.note(("t", 0, number))
    for _ in range(WINDOW - 50):
        refusals.pass_one()
    # The first of the fifty has just left the window.
    assert refusals.note(("t", 1, 0)) == 50
    for _ in range(WINDOW):
        refusals.pass_one()
    assert refusals.note(("t", 1, 1)) == 1


def test_one_that_is_read_again_counts_once() -> None:
    refusals = Refusals()
    for _ in range(WINDOW - 1):
        refusals.pass_one()
    assert [refusals.note(("t", 0, 7)) for _ in range(5)] == [1] * 5


def test_by_another_catalogue_it_begins_anew() -> None:
    refusals = Refusals()
    for number in range(WINDOW):
        refusals.note(("t", 0, number))
    refusals.clear()
    assert refusals.note(("t", 0, 0)) == 0
