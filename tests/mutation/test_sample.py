"""A sample is drawn by its seed alone."""

from tests.mutation.mutant import Mutant
from tests.mutation.sample import drawn


def mutant(number: int, source: str = "x = 1\n") -> Mutant:
    return Mutant(
        path="x.py", where="", before="1", after="2", number=number, lines=(1, 1), source=source
    )


MUTANTS = [mutant(number) for number in range(100)]


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(MUTANTS, "1 x", 30) == drawn(list(reversed(MUTANTS)), "1 x", 30)
    assert drawn(MUTANTS, "1 x", 30) != drawn(MUTANTS, "2 x", 30)


def test_a_longer_sample_begins_with_the_shorter() -> None:
    assert drawn(MUTANTS, "1 x", 60)[:30] == drawn(MUTANTS, "1 x", 30)


def test_the_rest_of_a_sample_outlasts_a_change_of_the_code() -> None:
    gone = drawn(MUTANTS, "1 x", 30)[3]
    left = [each for each in MUTANTS if each != gone]
    assert drawn(left, "1 x", 29) == [each for each in drawn(MUTANTS, "1 x", 30) if each != gone]


def test_there_are_no_more_than_there_are() -> None:
    assert len(drawn(MUTANTS, "1 x", 400)) == 100


def test_what_is_no_program_is_not_drawn() -> None:
    broken = [mutant(number, "break\n") for number in range(100, 200)]
    assert len(drawn([*MUTANTS, *broken], "1 x", 400)) == 100
