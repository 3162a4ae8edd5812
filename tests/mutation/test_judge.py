"""A kill is believed where the test passes without the change."""

import pytest

from tests.mutation.job import Answer, Job, Outcome
from tests.mutation.judge import judged

CLEAN, CHANGED = "x = 1\n", "x = 2\n"
JOB = Job("x.py", CHANGED, ["a", "b", "c"], 1, 1.0, True, "f")


class Worker:
    """Fails these tests: those that find the change, and those that fail anyway."""

    def __init__(self, finding: set[str], flaky: set[str], how: Outcome = Outcome.KILLED) -> None:
        self.finding, self.flaky, self.how = finding, flaky, how
        self.asked: list[tuple[str, list[str], bool]] = []

    async def ask(self, job: Job) -> Answer:
        self.asked.append((job.source, job.tests, job.is_cold))
        failing = self.flaky | (self.finding if job.source == CHANGED else set())
        for test in job.tests:
            if test in failing:
                return Answer(self.how, test)
        return Answer(Outcome.SURVIVED, job.tests[-1])


async def judge(worker: Worker) -> tuple[Answer, list[str]]:
    distrusted: list[str] = []
    return await judged(JOB, CLEAN, worker.ask, distrusted.append), distrusted


@pytest.mark.parametrize("how", [Outcome.KILLED, Outcome.TIMED_OUT])
async def test_a_kill_is_tried_without_the_change(how: Outcome) -> None:
    worker = Worker({"b"}, set(), how)
    assert await judge(worker) == (Answer(how, "b"), [])
    # In the process that has imported the clean sources already.
    assert worker.asked == [(CHANGED, ["a", "b", "c"], True), (CLEAN, ["b"], False)]


async def test_a_test_that_fails_anyway_finds_nothing() -> None:
    assert await judge(Worker(set(), {"a"})) == (Answer(Outcome.SURVIVED, "c"), ["a"])


async def test_the_others_are_asked_then() -> None:
    assert await judge(Worker({"c"}, {"a"})) == (Answer(Outcome.KILLED, "c"), ["a"])


async def test_where_all_fail_anyway_it_survives() -> None:
    worker = Worker(set(), {"a", "b", "c"})
    assert await judge(worker) == (Answer(Outcome.SURVIVED), ["a", "b", "c"])


async def test_what_keeps_tests_from_being_collected_is_found() -> None:
    """No test began, so none can be tried again."""

    class Broken(Worker):
        async def ask(self, job: Job) -> Answer:
            return Answer(Outcome.KILLED, "")

    assert await judge(Broken(set(), set())) == (Answer(Outcome.KILLED, ""), [])
