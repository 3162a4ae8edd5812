"""Results outlast the process, and belong to one state of the tree."""

from pathlib import Path

from tests.mutation.job import Answer, Outcome
from tests.mutation.results import Head, Results
from tests.mutation.test_sample import mutant

HEAD = Head("state-1", 1)
KILLED, SURVIVED = Answer(Outcome.KILLED, "test_a", 0.5), Answer(Outcome.SURVIVED)


def filled(file: Path) -> None:
    results = Results(file, HEAD)
    results.add(mutant(1), KILLED)
    results.add(mutant(2), SURVIVED)


def test_another_run_goes_on_where_the_last_ended(tmp_path: Path) -> None:
    filled(tmp_path / "x.jsonl")
    again = Results(tmp_path / "x.jsonl", HEAD)
    assert [again.get(mutant(number)) for number in (1, 2, 3)] == [KILLED, SURVIVED, None]


def test_a_line_that_was_cut_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    filled(file)
    file.write_bytes(file.read_bytes()[:-10])
    again = Results(file, HEAD)
    assert [again.get(mutant(number)) for number in (1, 2)] == [KILLED, None]


def test_another_state_or_seed_begins_anew(tmp_path: Path) -> None:
    for head in (Head("state-2", 1), Head("state-1", 2)):
        filled(tmp_path / "x.jsonl")
        assert Results(tmp_path / "x.jsonl", head).get(mutant(1)) is None


def test_survivors_alone_can_be_tried_again(tmp_path: Path) -> None:
    filled(tmp_path / "x.jsonl")
    again = Results(tmp_path / "x.jsonl", Head("state-2", 1), keep_killed=True)
    assert [again.get(mutant(number)) for number in (1, 2)] == [KILLED, None]
