"""The circuit breaker: opens within seconds, probes one at a time, obeys Retry-After."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from schemas.vocabulary import Reason
from sinks.http.breaker import (
    FIRST_MS,
    IN_A_ROW,
    LEAST_CALLS,
    LONGEST_MS,
    LONGEST_PAUSE,
    Answers,
    Breaker,
    Circuit,
    Started,
    answers_of,
)
from sinks.provider import PermanentFailure, Sent, TransientFailure

STALL = 5000
FINE, FAILED = Answers(failed=False), Answers(failed=True)
ALL_ANSWERS = [
    None,
    FINE,
    FAILED,
    Answers(failed=True, pause=2.5),
    Answers(failed=True, unproven=True),
    Answers(failed=True, pause=2.5, unproven=True),
]
SENT, REFUSED = Sent("1"), PermanentFailure(Reason.REJECTED, "no")
DOWN = TransientFailure(Reason.PROVIDER_ERROR, "503")


def started(breaker: Breaker, now: int, key: str | None = None) -> Started:
    found = breaker.start(now, key)
    assert found is not None
    return found


def call(breaker: Breaker, now: int, answers: Answers | None) -> None:
    breaker.end(started(breaker, now), now, answers)


def opened(now: int = 0) -> Breaker:
    breaker = Breaker(STALL)
    for _ in range(IN_A_ROW):
        call(breaker, now, FAILED)
    assert breaker.circuit(now) is Circuit.OPEN
    return breaker


def test_some_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    breaker = Breaker(STALL)
    for _ in range(3):
        for _ in range(IN_A_ROW - 1):
            call(breaker, 0, FAILED)
        for _ in range(2 * IN_A_ROW):
            call(breaker, 0, FINE)
    assert breaker.circuit(0) is Circuit.CLOSED
    assert not opened().start(0)


def test_half_of_many_failing_opens_it() -> None:
    breaker = Breaker(STALL)
    for number in range(LEAST_CALLS - 1):
        call(breaker, number, FAILED if number % 2 else FINE)
        assert breaker.circuit(number) is Circuit.CLOSED
    call(breaker, LEAST_CALLS, FAILED)
    assert breaker.circuit(LEAST_CALLS) is Circuit.OPEN


def test_failures_that_are_long_past_do_not_count() -> None:
    breaker = Breaker(STALL)
    for second in range(100):
        call(breaker, 1000 * second, FAILED if second % 2 else FINE)
    assert breaker.circuit(100_000) is Circuit.CLOSED


def test_one_probe_at_a_time_and_each_that_fails_doubles_the_wait() -> None:
    breaker, now, wait = opened(), 0, FIRST_MS
    for _ in range(8):
        assert not breaker.start(now + wait - 1)
        now += wait
        assert breaker.circuit(now) is Circuit.HALF_OPEN
        probe = started(breaker, now)
        assert not breaker.start(now)
        breaker.end(probe, now, FAILED)
        wait = min(2 * wait, LONGEST_MS)
    assert wait == LONGEST_MS
    call(breaker, now + wait, FINE)
    assert breaker.circuit(now + wait) is Circuit.CLOSED
    for _ in range(IN_A_ROW):
        call(breaker, now + wait, FAILED)
    assert breaker.free_at(now + wait) == now + wait + FIRST_MS


def test_a_probe_that_was_given_up_makes_room_for_another() -> None:
    breaker = opened()
    call(breaker, FIRST_MS, None)
    assert breaker.start(FIRST_MS)


def test_late_failures_of_calls_made_before_do_not_prolong_it() -> None:
    breaker = Breaker(STALL)
    for each in [started(breaker, 0) for _ in range(3 * IN_A_ROW)]:
        breaker.end(each, 10, FAILED)
    assert breaker.circuit(10 + FIRST_MS) is Circuit.HALF_OPEN


@given(st.floats(0, 1e6))
def test_a_retry_after_is_obeyed_to_the_millisecond_and_no_longer(seconds: float) -> None:
    breaker = Breaker(STALL)
    call(breaker, 0, Answers(failed=True, pause=seconds))
    until = -(-min(seconds, LONGEST_PAUSE) * 1000 // 1)
    assert breaker.free_at(0) >= until
    assert until < 1 or not breaker.start(int(until) - 1)
    assert breaker.start(int(until))


def test_a_provider_that_hangs_is_left_alone_before_its_calls_time_out() -> None:
    breaker = Breaker(STALL)
    first, *_ = [started(breaker, 0) for _ in range(IN_A_ROW)]
    assert breaker.start(STALL)
    assert not breaker.start(STALL + 1)
    breaker.end(first, STALL + 2, FINE)
    assert breaker.circuit(STALL + 2) is Circuit.CLOSED


def test_calls_that_time_out_are_no_sign_of_life() -> None:
    breaker = Breaker(STALL)
    first, *_ = [started(breaker, 0) for _ in range(2 * IN_A_ROW)]
    breaker.end(first, 2 * STALL, FAILED)
    assert not breaker.start(2 * STALL)


def test_a_few_calls_that_take_long_are_no_hang() -> None:
    breaker = Breaker(STALL)
    for _ in range(IN_A_ROW - 1):
        assert breaker.start(0)
    assert breaker.start(10 * STALL)


def test_what_outcomes_say_of_the_provider() -> None:
    assert answers_of([SENT]) == answers_of([REFUSED]) == FINE
    assert answers_of([DOWN, DOWN]) == FAILED
    assert answers_of([DOWN, SENT]) == FINE
    slow = TransientFailure(Reason.THROTTLED, "429", 7.0)
    assert answers_of([slow, SENT]) == Answers(failed=False, pause=7.0)
    assert answers_of([TransientFailure(Reason.CIRCUIT_OPEN, "an inner one")]) is None


OURS = Answers(failed=True, unproven=True)


def test_one_users_failures_count_once_however_many_they_are() -> None:
    """A user may have a hundred devices, and be sent to as often as the limits allow."""
    breaker = Breaker(STALL)
    for number in range(200):
        breaker.end(started(breaker, number, "mallory"), number, FAILED)
    for user in ("ann", "bob", "cem"):
        breaker.end(started(breaker, 200, user), 200, FAILED)
    assert breaker.circuit(200) is Circuit.CLOSED
    breaker.end(started(breaker, 201, "dan"), 201, FAILED)
    assert breaker.circuit(201) is Circuit.OPEN


def test_one_users_hanging_calls_are_no_hang() -> None:
    breaker = Breaker(STALL)
    for _ in range(50):
        started(breaker, 0, "mallory")
    for user in ("ann", "bob", "cem"):
        started(breaker, 0, user)
    assert breaker.circuit(STALL + 1) is Circuit.CLOSED
    started(breaker, 0, "dan")
    assert breaker.circuit(STALL + 1) is Circuit.OPEN


def test_the_share_is_of_users_as_their_last_calls_ended() -> None:
    breaker = Breaker(STALL)
    for number in range(12):
        call(breaker, 0, FINE)
        breaker.end(started(breaker, 0, f"user {number % 4}"), 0, FAILED)
    # Four of sixteen failed, though twelve of twenty-four calls did.
    for _ in range(7):
        call(breaker, 0, FINE)
    breaker.end(started(breaker, 0, "user 0"), 0, FAILED)
    assert breaker.circuit(0) is Circuit.CLOSED


def test_refused_credentials_open_it_while_nobody_is_served() -> None:
    breaker = Breaker(STALL)
    for _ in range(IN_A_ROW - 1):
        call(breaker, 0, OURS)
    assert breaker.circuit(0) is Circuit.CLOSED
    call(breaker, 0, OURS)
    assert breaker.free_at(0) == FIRST_MS
    call(breaker, FIRST_MS, OURS)
    assert breaker.free_at(FIRST_MS) == 3 * FIRST_MS


def test_one_success_in_ten_seconds_proves_our_credentials() -> None:
    breaker = Breaker(STALL)
    call(breaker, 0, FINE)
    for number in range(300):
        call(breaker, 9 * number, OURS)
        call(breaker, 9 * number, Answers(failed=True, pause=60.0, unproven=True))
    assert breaker.circuit(2700) is Circuit.CLOSED
    call(breaker, 9_999, OURS)
    assert breaker.circuit(9_999) is Circuit.CLOSED
    call(breaker, 10_000, OURS)
    assert breaker.circuit(10_000) is Circuit.OPEN


def test_a_pause_that_may_be_one_users_is_obeyed_where_it_is_everybodys() -> None:
    breaker = Breaker(STALL)
    for user in "abcde":
        assert breaker.circuit(0) is Circuit.CLOSED
        answers = Answers(failed=True, pause=60.0, unproven=True)
        breaker.end(started(breaker, 0, user), 0, answers)
    assert breaker.free_at(0) == 60_000


def test_a_probe_that_is_refused_shows_that_the_provider_is_up_again() -> None:
    breaker = opened()
    call(breaker, FIRST_MS, OURS)
    assert breaker.circuit(FIRST_MS) is Circuit.CLOSED


def test_a_call_from_before_is_no_probe() -> None:
    breaker = Breaker(STALL)
    old = [started(breaker, 0) for _ in range(3)]
    for _ in range(IN_A_ROW):
        call(breaker, 0, FAILED)
    probe = started(breaker, FIRST_MS)
    breaker.end(old[0], FIRST_MS, FAILED)
    breaker.end(old[1], FIRST_MS, None)
    # The probe is still under way: there is neither a second one nor a longer wait.
    assert not breaker.start(FIRST_MS)
    breaker.end(probe, FIRST_MS, FAILED)
    assert breaker.free_at(FIRST_MS) == 3 * FIRST_MS
    breaker.end(old[2], FIRST_MS, FAILED)
    assert breaker.free_at(FIRST_MS) == 3 * FIRST_MS


class Calling(RuleBasedStateMachine):
    """Calls that overlap and end in any way, while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(STALL)
        self.now = 0
        self.in_flight: list[Started] = []

    @rule(ms=st.integers(0, 40_000))
    def wait(self, ms: int) -> None:
        self.now += ms

    @rule()
    def start(self) -> None:
        free = self.breaker.free_at(self.now)
        if (each := self.breaker.start(self.now)) is not None:
            assert free == self.now
            self.in_flight.append(each)

    @precondition(lambda self: self.in_flight)
    @rule(answers=st.sampled_from(ALL_ANSWERS), which=st.integers(0, 1000))
    def end(self, answers: Answers | None, which: int) -> None:
        each = self.in_flight.pop(which % len(self.in_flight))
        self.breaker.end(each, self.now, answers)

    @invariant()
    def it_is_never_left_alone_for_long(self) -> None:
        assert self.breaker.free_at(self.now) <= self.now + LONGEST_MS

    def teardown(self) -> None:
        for each in self.in_flight:
            self.breaker.end(each, self.now, None)
        assert self.breaker.start(self.now + LONGEST_MS)


TestCalling = Calling.TestCase
TestCalling.settings = settings(max_examples=100, stateful_step_count=40)
