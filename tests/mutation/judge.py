"""Whether a mutant is found: a kill counts only if the same test passes without the change.

Else a machine too slow for its tests would make a score better than it is.
"""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from tests.mutation.job import Answer, Job, Outcome

Ask = Callable[[Job], Awaitable[Answer]]


async def judged(job: Job, clean: str, ask: Ask, distrust: Callable[[str], None]) -> Answer:
    """What becomes of the job; `distrust` is told of tests that fail on the clean text too.

    Those are then left out, and the others are asked again.
    """
    tests = job.tests
    while tests:
        answer = await ask(replace(job, tests=tests))
        if answer.outcome is Outcome.SURVIVED or answer.test not in tests:
            return answer
        control = replace(job, source=clean, tests=[answer.test], is_cold=False, where="")
        if (await ask(control)).outcome is Outcome.SURVIVED:
            return answer
        distrust(answer.test)
        tests = [test for test in tests if test != answer.test]
    return Answer(Outcome.SURVIVED)
