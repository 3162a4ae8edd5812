"""The circuit breaker in numbers: how many calls, how many milliseconds, worked out by hand."""

import pytest

from schemas.vocabulary import Reason
from sinks.http.breaker import Answers, Breaker, Circuit, Started, answers_of
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure

STALL = 5000
FINE, FAILED = Answers(failed=False), Answers(failed=True)
OPEN, HALF_OPEN, CLOSED = Circuit.OPEN, Circuit.HALF_OPEN, Circuit.CLOSED


def started(breaker: Breaker, now: int) -> Started:
    found = breaker.start(now)
    assert found is not None
    return found


def call(breaker: Breaker, now: int, answers: Answers | None) -> None:
    breaker.end(started(breaker, now), now, answers)


def paused(seconds: float) -> Answers:
    return Answers(failed=True, pause=seconds)


def opened(now: int = 0) -> Breaker:
    breaker = Breaker(STALL)
    for _ in range(5):
        call(breaker, now, FAILED)
    return breaker


def test_circuits_are_the_numbers_of_the_metric() -> None:
    assert [int(each) for each in (CLOSED, HALF_OPEN, OPEN)] == [0, 1, 2]


def test_the_fifth_failure_in_a_row_opens_it_for_a_second() -> None:
    breaker = Breaker(STALL)
    for _ in range(4):
        call(breaker, 7, FAILED)
    assert breaker.circuit(7) is CLOSED
    call(breaker, 7, FAILED)
    assert breaker.circuit(7) is OPEN
    assert breaker.free_at(7) == 1007
    assert (breaker.circuit(1006), breaker.circuit(1007)) == (OPEN, HALF_OPEN)
    assert breaker.free_at(1007) == 1007


def test_each_failed_probe_doubles_the_time_up_to_half_a_minute() -> None:
    breaker, now = opened(), 0
    for seconds in (1, 2, 4, 8, 16, 30, 30):
        assert breaker.free_at(now) == now + 1000 * seconds
        now += 1000 * seconds
        call(breaker, now, FAILED)
    assert breaker.free_at(now) == now + 30_000


def test_a_probe_that_succeeds_closes_it_and_all_begins_anew() -> None:
    breaker = opened()
    call(breaker, 1000, FAILED)
    call(breaker, 3000, FINE)
    assert breaker.circuit(3000) is CLOSED
    # What failed before is forgotten: four more are not enough, nor half of twenty.
    for number in range(4):
        call(breaker, 3001 + number, FAILED)
    assert breaker.circuit(3010) is CLOSED
    call(breaker, 3010, FAILED)
    assert breaker.free_at(3010) == 4010


def test_while_it_is_probed_it_is_looked_at_again_soon() -> None:
    breaker = opened()
    probe = started(breaker, 1000)
    assert breaker.circuit(1000) is OPEN
    assert breaker.free_at(1000) == 1100
    assert not breaker.start(1100)
    breaker.end(probe, 1200, FINE)
    assert breaker.start(1200)


@pytest.mark.parametrize(("calls", "circuit"), [(19, CLOSED), (20, OPEN)])
def test_half_of_twenty_calls_are_enough(calls: int, circuit: Circuit) -> None:
    breaker = Breaker(STALL)
    for number in range(calls):
        call(breaker, number, FAILED if number % 2 else FINE)
    assert breaker.circuit(calls) is circuit


def test_less_than_half_are_not() -> None:
    breaker = Breaker(STALL)
    for number in range(60):
        call(breaker, number, FAILED if number % 2 and number != 1 else FINE)
    assert breaker.circuit(60) is CLOSED


@pytest.mark.parametrize(("at", "circuit"), [(9_999, OPEN), (10_000, CLOSED)])
def test_a_call_counts_for_ten_seconds(at: int, circuit: Circuit) -> None:
    """The failures of the first moment are half of all, until they are over."""
    breaker = Breaker(STALL)
    for number in range(9):
        call(breaker, 0, FAILED if number % 2 else FINE)
    for number in range(10):
        call(breaker, 5000, FAILED if number % 2 else FINE)
    call(breaker, at, FAILED)
    assert breaker.circuit(at) is circuit


PAUSES: list[tuple[list[tuple[int, float]], int]] = [
    ([(0, 5.0)], 5000),
    ([(0, 0.0)], 0),
    ([(0, 0.0001)], 1),
    ([(0, 1.5)], 1500),
    ([(100, 5.0)], 5100),
    # A shorter one that is told later takes nothing back, a longer one adds to it.
    ([(0, 60.0), (0, 5.0)], 60_000),
    ([(0, 5.0), (0, 60.0)], 60_000),
    ([(0, 60.0), (0, 0.0)], 60_000),
    ([(0, 60.0), (1000, 59.5)], 60_500),
    # An hour is the most.
    ([(0, 3600.0)], 3_600_000),
    ([(0, 86_400.0)], 3_600_000),
    ([(0, float("inf"))], 3_600_000),
]


@pytest.mark.parametrize(("told", "until"), PAUSES)
def test_the_longest_pause_that_was_asked_for_counts(
    told: list[tuple[int, float]], until: int
) -> None:
    breaker = Breaker(STALL)
    # All were under way when the first was answered.
    calls = [started(breaker, 0) for _ in told]
    for each, (at, seconds) in zip(calls, told, strict=True):
        breaker.end(each, at, paused(seconds))
    last = told[-1][0]
    assert breaker.free_at(last) == (max(until, last + 100) if until > last else last)
    if until > last:
        assert breaker.circuit(until - 1) is OPEN
        assert not breaker.start(until - 1)
    assert breaker.circuit(until) is CLOSED
    assert breaker.start(until)


def test_a_pause_beside_a_success_is_obeyed_too() -> None:
    breaker = Breaker(STALL)
    call(breaker, 0, Answers(failed=False, pause=3.0))
    assert (breaker.circuit(2999), breaker.circuit(3000)) == (OPEN, CLOSED)


def test_a_pause_is_no_failure_in_a_row() -> None:
    breaker = Breaker(STALL)
    for _ in range(20):
        call(breaker, 0, paused(0.0))
    assert breaker.circuit(0) is CLOSED


@pytest.mark.parametrize(("in_flight", "waited", "circuit"), [
    (5, 5001, OPEN), (5, 5000, CLOSED), (4, 60_000, CLOSED), (6, 5001, OPEN),
])  # fmt: skip
def test_five_calls_without_an_answer_beyond_the_stall(
    in_flight: int, waited: int, circuit: Circuit
) -> None:
    breaker = Breaker(STALL)
    for _ in range(in_flight):
        assert breaker.start(1000)
    assert breaker.circuit(1000 + waited) is circuit
    assert bool(breaker.start(1000 + waited)) is (circuit is CLOSED)
    if circuit is OPEN:
        assert breaker.free_at(1000 + waited) == 1000 + waited + 1000


def test_a_call_that_ended_is_in_flight_no_more() -> None:
    breaker = Breaker(STALL)
    calls = [started(breaker, 0) for _ in range(8)]
    for each in calls[:4]:
        breaker.end(each, 0, None)
    assert breaker.circuit(60_000) is CLOSED
    assert breaker.start(60_000)
    assert breaker.circuit(60_000) is OPEN


def test_the_stall_begins_with_the_first_call_after_a_rest() -> None:
    breaker = Breaker(STALL)
    call(breaker, 0, FINE)
    for _ in range(5):
        assert breaker.start(100_000)
    assert breaker.circuit(105_000) is CLOSED
    assert breaker.circuit(105_001) is OPEN


DOWN, SLOW = (
    TransientFailure(Reason.PROVIDER_ERROR, "503"),
    TransientFailure(Reason.THROTTLED, "429", 7.0),
)
OURS = TransientFailure(Reason.UNAUTHORIZED, "401")
FOREIGN = TransientFailure(Reason.UNAUTHORIZED, "403", 9.0, fault=Fault.ADDRESS)
SENT, REFUSED = Sent("1"), PermanentFailure(Reason.REJECTED, "no")


@pytest.mark.parametrize(
    ("outcomes", "answers"),
    [
        ([], FINE),
        ([SENT], FINE),
        ([REFUSED], FINE),
        ([SENT, REFUSED], FINE),
        ([DOWN], FAILED),
        ([DOWN, DOWN], FAILED),
        ([DOWN, SENT], FINE),
        ([DOWN, REFUSED], FINE),
        ([SLOW], Answers(failed=True, pause=7.0)),
        ([SLOW, SENT], Answers(failed=False, pause=7.0)),
        ([OURS], Answers(failed=True, unproven=True)),
        ([OURS, REFUSED], FINE),
        ([OURS, DOWN], FAILED),
        ([FOREIGN], FINE),
        ([FOREIGN, DOWN], FINE),
        (
            [SLOW, DOWN, TransientFailure(Reason.THROTTLED, "", 9.0)],
            Answers(failed=True, pause=9.0),
        ),
        ([TransientFailure(Reason.THROTTLED, "", 9.0), SLOW], Answers(failed=True, pause=9.0)),
        ([TransientFailure(Reason.THROTTLED, "", 0.0)], Answers(failed=True, pause=0.0)),
    ],
)
def test_what_the_outcomes_of_one_call_say(outcomes: list[Outcome], answers: Answers) -> None:
    assert answers_of(outcomes) == answers
