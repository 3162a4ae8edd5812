"""The score, with figures worked out by hand."""

from tests.mutation.job import Outcome
from tests.mutation.score import score_of, table

OUTCOMES = (
    [Outcome.KILLED] * 86
    + [Outcome.TIMED_OUT] * 4
    + [Outcome.SURVIVED] * 7
    + [Outcome.UNTESTED] * 3
    + [Outcome.BENIGN] * 20
)


def test_benign_mutants_count_for_nothing_and_time_outs_as_killed() -> None:
    score = score_of("policy", OUTCOMES)
    assert (score.tried, score.killed, score.timed_out) == (120, 86, 4)
    assert (score.survived, score.untested, score.benign) == (7, 3, 20)
    assert score.score == 0.9


def test_the_interval_is_wilsons() -> None:
    """90 of 100, as any table of Wilson's intervals has it: 0.8256 to 0.9448."""
    score = score_of("policy", OUTCOMES)
    assert (score.low, score.high) == (0.8256, 0.9448)


def test_nothing_tried_says_nothing() -> None:
    score = score_of("policy", [])
    assert (score.score, score.low, score.high) == (0.0, 0.0, 1.0)


def test_the_table_has_a_line_a_package() -> None:
    head, line = table([score_of("policy", OUTCOMES)]).splitlines()
    assert head.split()[0] == "package"
    assert line.split() == ["policy", "120", "86", "4", "7", "3", "20", "0.900", "(0.826-0.945)"]
