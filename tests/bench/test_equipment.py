"""That every contestant has what ours has, and that the bench fails where one has not."""

import asyncio
import gc

import pytest
import uvloop

from bench.contestants.equipment import NO_LOOP, Equipment, check_fair, equip, report, reported
from schemas.errors import Unavailable

OURS = Equipment("uvloop", (50_000, 20, 100))


@pytest.fixture(autouse=True)
def collector() -> object:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def test_a_contestant_reports_the_loop_it_is_in_and_the_collector_of_our_workers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def contestant() -> None:
        equip()
        report()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(contestant())
    assert reported(f"before\n{capsys.readouterr().out}after") == OURS


def test_a_contestant_without_a_loop_reports_that(capsys: pytest.CaptureFixture[str]) -> None:
    gc.set_threshold(700, 10, 10)
    report()
    assert reported(capsys.readouterr().out) == Equipment(NO_LOOP, (700, 10, 10))


def test_a_contestant_that_reports_nothing_fails_the_bench() -> None:
    with pytest.raises(Unavailable, match="did not report"):
        reported("bench: starting\n")


def test_contestants_with_the_same_are_fair_and_one_without_a_loop_needs_none() -> None:
    theirs = {"tocsin": OURS, "faust": OURS, "quix": Equipment(NO_LOOP, OURS.collector)}
    check_fair(theirs, "tocsin")


@pytest.mark.parametrize(
    "theirs", [Equipment("asyncio.unix_events", OURS.collector), Equipment("uvloop", (700, 10, 10))]
)
def test_a_contestant_with_another_loop_or_collector_fails_the_bench(theirs: Equipment) -> None:
    with pytest.raises(Unavailable, match="not fair: faust has"):
        check_fair({"tocsin": OURS, "faust": theirs}, "tocsin")
