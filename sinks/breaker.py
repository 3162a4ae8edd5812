"""A circuit breaker: a provider in trouble is left alone, and asked again within seconds."""

from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from math import ceil

from msgspec import Struct

from sinks.provider import Outcome, Retry

IN_A_ROW = 5
"""Calls that fail one after the other until the circuit opens."""
WINDOW_MS = 10_000
LEAST_CALLS = 20
MOST_FAILING = 0.5
"""Or this share of the calls of the last ten seconds, if they were at least so many."""
FIRST_MS = 1000
LONGEST_MS = 30_000
"""How long it stays open before a probe; twice as long each time that the probe fails."""

LONGEST_PAUSE = 3600.0
"""Seconds; what is asked for beyond it is obeyed by each delivery, but others are tried again."""


class Circuit(IntEnum):
    """What a breaker lets through."""

    CLOSED = 0  # everything
    HALF_OPEN = 1  # one call, as a probe
    OPEN = 2  # nothing


class Answers(Struct, frozen=True):
    """What came of one call: whether the provider failed, and how long it wants to be left alone.

    `pause` is seconds from now, None where it says nothing.
    """

    failed: bool
    pause: float | None = None


class Breaker:
    """The circuit of one provider; times are epoch milliseconds and never go back.

    It opens when calls fail one after the other, when half of them do, or when nothing has been
    answered for `stall` ms though several wait: a provider that hangs is noticed before its calls
    time out. A Retry-After opens it until then and no longer.
    """

    def __init__(self, stall: float) -> None:
        self._stall = stall
        self._open_until = 0  # 0: closed
        self._paused_until = 0
        self._backoff = FIRST_MS
        self._probing = False
        self._in_a_row = 0
        self._in_flight = 0
        self._progress = 0
        self._calls: deque[tuple[int, bool]] = deque()

    def circuit(self, now: int) -> Circuit:
        """Its state now."""
        if now < self._paused_until:
            return Circuit.OPEN
        if not self._open_until:
            return Circuit.OPEN if self._is_stalled(now) else Circuit.CLOSED
        return Circuit.OPEN if now < self._open_until or self._probing else Circuit.HALF_OPEN

    def free_at(self, now: int) -> int:
        """When a call may be made again at the earliest; `now` where it may be made now."""
        if self.circuit(now) is not Circuit.OPEN:
            return now
        # What is probed is known as soon as the probe is answered, so look again soon.
        return max(self._paused_until, self._open_until, now + FIRST_MS // 10)

    def start(self, now: int) -> bool:
        """Whether a call may be made now; if so it must be followed by `end`."""
        if not self._open_until and self._is_stalled(now):
            self._open(now)
        circuit = self.circuit(now)
        if circuit is Circuit.OPEN:
            return False
        self._probing = circuit is Circuit.HALF_OPEN
        if not self._in_flight:
            self._progress = now
        self._in_flight += 1
        return True

    def end(self, now: int, answers: Answers | None) -> None:
        """A call came to its end; without answers if it was given up on our side."""
        self._in_flight -= 1
        was_probe, self._probing = self._probing and bool(self._open_until), False
        if answers is None:
            return
        if not answers.failed:
            # A call that timed out is no sign of life.
            self._progress = now
        if answers.pause is not None:
            pause = ceil(min(answers.pause, LONGEST_PAUSE) * 1000)
            self._paused_until = max(self._paused_until, now + pause)
        elif answers.failed:
            self._fail(now, was_probe)
        else:
            self._succeed(now)

    def _succeed(self, now: int) -> None:
        self._in_a_row = 0
        if self._open_until:
            self._open_until, self._backoff = 0, FIRST_MS
            self._calls.clear()
        self._note(now, failed=False)

    def _fail(self, now: int, was_probe: bool) -> None:
        self._in_a_row += 1
        self._note(now, failed=True)
        if self._open_until:
            # Calls from before it opened come in late and say nothing new.
            if was_probe:
                self._open(now)
            return
        failed = sum(failed for _, failed in self._calls)
        many = len(self._calls) >= LEAST_CALLS and failed >= MOST_FAILING * len(self._calls)
        if many or self._in_a_row >= IN_A_ROW:
            self._open(now)

    def _open(self, now: int) -> None:
        self._open_until = now + self._backoff
        self._backoff = min(2 * self._backoff, LONGEST_MS)

    def _note(self, now: int, failed: bool) -> None:
        self._calls.append((now, failed))
        while self._calls[0][0] <= now - WINDOW_MS:
            self._calls.popleft()

    def _is_stalled(self, now: int) -> bool:
        return self._in_flight >= IN_A_ROW and now - self._progress > self._stall


def answers_of(outcomes: Sequence[Outcome]) -> Answers:
    """What the outcomes of one call say of the provider: refusing a message is no failure."""
    retries = [outcome for outcome in outcomes if isinstance(outcome, Retry)]
    pauses = [r.after for r in retries if r.after is not None]
    return Answers(
        failed=bool(retries) and len(retries) == len(outcomes),
        pause=max(pauses, default=None),
    )
