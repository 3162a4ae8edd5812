"""A circuit breaker: a provider in trouble is left alone, and asked again within seconds."""

from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence
from enum import IntEnum
from math import ceil

from msgspec import Struct

from schemas.vocabulary import Reason
from sinks.provider import Fault, Outcome, TransientFailure

IN_A_ROW = 5
"""Users whose calls fail one after the other until the circuit opens."""
WINDOW_MS = 10_000
LEAST_CALLS = 20
MOST_FAILING = 0.5
"""Or this share of the users of the last ten seconds, if they were at least so many."""
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
    """What came of one call: whether it failed, and how long we are asked to wait.

    `pause` is seconds from now, None where nothing is asked. With `unproven` it may be one user's
    fault as well as everybody's: that counts only while nobody else's calls succeed.
    """

    failed: bool
    pause: float | None = None
    unproven: bool = False


_SUCCEEDED = Answers(failed=False)


class Started(Struct, frozen=True):
    """A call that was let through; `key` names whom it is for."""

    key: Hashable
    is_probe: bool


class Breaker:
    """The circuit of one provider; times are epoch milliseconds and never go back.

    It opens when calls for several users fail one after the other, when those of half of them do,
    or when nothing has been answered for `stall` ms though several wait: a provider that hangs is
    noticed before its calls time out. However often one user's calls fail, they count once. A
    Retry-After opens it until then and no longer.
    """

    def __init__(self, stall: float) -> None:
        self._stall = stall
        self._open_until = 0  # 0: closed
        self._paused_until = 0
        self._backoff = FIRST_MS
        self._is_probing = False
        self._is_unproven = False  # it opened though no fault of the provider's was proven
        self._in_flight: Counter[Hashable] = Counter()
        self._progress = 0
        self._succeeded: int | None = None
        self._in_a_row: set[Hashable] = set()
        self._unproven: set[Hashable] = set()
        self._last: OrderedDict[Hashable, tuple[int, bool]] = OrderedDict()
        self._failing = 0  # how many of the last ones failed
        self._number = 0

    def circuit(self, now: int) -> Circuit:
        """Its state now."""
        if now < self._paused_until:
            return Circuit.OPEN
        if not self._open_until:
            return Circuit.OPEN if self._is_stalled(now) else Circuit.CLOSED
        return Circuit.OPEN if now < self._open_until or self._is_probing else Circuit.HALF_OPEN

    def free_at(self, now: int) -> int:
        """When a call may be made again at the earliest; `now` where it may be made now."""
        if self.circuit(now) is not Circuit.OPEN:
            return now
        # What is probed is known as soon as the probe is answered, so look again soon.
        return max(self._paused_until, self._open_until, now + FIRST_MS // 10)

    def start(self, now: int, key: Hashable = None) -> Started | None:
        """Let a call through, which must then be followed by `end`; None if it may not be made.

        `key` is whom it is for. Without one it counts by itself.
        """
        if not self._open_until and self._is_stalled(now):
            self._open(now)
        circuit = self.circuit(now)
        if circuit is Circuit.OPEN:
            return None
        is_probe = circuit is Circuit.HALF_OPEN
        self._is_probing = self._is_probing or is_probe
        if not self._in_flight:
            self._progress = now
        if key is None:
            self._number += 1
            key = self._number
        self._in_flight[key] += 1
        return Started(key, is_probe)

    def end(self, started: Started, now: int, answers: Answers | None) -> None:
        """A call came to its end; without answers if it was not made after all."""
        key = started.key
        self._in_flight[key] -= 1
        if not self._in_flight[key]:
            del self._in_flight[key]
        is_probe = started.is_probe and self._is_probing
        if started.is_probe:
            self._is_probing = False
        if answers is None:
            return
        if not answers.failed:
            # A call that timed out is no sign of life.
            self._progress = now
        if answers.unproven and answers.failed:
            self._blame_us(now, key, answers, is_probe=is_probe)
        elif answers.pause is not None:
            self._pause(now, answers.pause)
        elif answers.failed:
            self._fail(now, key, is_probe=is_probe)
        else:
            self._succeed(now, key)

    def _pause(self, now: int, seconds: float) -> None:
        pause = ceil(min(seconds, LONGEST_PAUSE) * 1000)
        self._paused_until = max(self._paused_until, now + pause)

    def _succeed(self, now: int, key: Hashable) -> None:
        self._succeeded = now
        self._in_a_row.clear()
        self._unproven.clear()
        if self._open_until:
            self._close()
        self._note(now, key, failed=False)

    def _fail(self, now: int, key: Hashable, *, is_probe: bool) -> None:
        if len(self._in_a_row) < IN_A_ROW:
            self._in_a_row.add(key)
        self._note(now, key, failed=True)
        if self._open_until:
            # Calls from before it opened come in late and say nothing new.
            if is_probe:
                self._open(now)
            return
        users = len(self._last)
        many = users >= LEAST_CALLS and self._failing >= MOST_FAILING * users
        if many or len(self._in_a_row) >= IN_A_ROW:
            self._open(now)

    def _blame_us(self, now: int, key: Hashable, answers: Answers, *, is_probe: bool) -> None:
        if self._open_until and is_probe:
            # What it was opened for is over if it was the provider's trouble: it answers.
            if self._is_unproven:
                self._open(now, unproven=True)
            else:
                self._close()
        if len(self._unproven) < IN_A_ROW:
            self._unproven.add(key)
        is_served = self._succeeded is not None and now - self._succeeded < WINDOW_MS
        if self._open_until or is_served or len(self._unproven) < IN_A_ROW:
            return
        if answers.pause is not None:
            self._pause(now, answers.pause)
        else:
            self._open(now, unproven=True)

    def _open(self, now: int, *, unproven: bool = False) -> None:
        self._is_unproven = unproven
        self._open_until = now + self._backoff
        self._backoff = min(2 * self._backoff, LONGEST_MS)

    def _close(self) -> None:
        self._open_until, self._backoff = 0, FIRST_MS
        self._in_a_row.clear()
        self._last.clear()
        self._failing = 0

    def _note(self, now: int, key: Hashable, *, failed: bool) -> None:
        _, had_failed = self._last.pop(key, (0, False))
        self._last[key] = now, failed
        self._failing += failed - had_failed
        while (first := next(iter(self._last.values())))[0] <= now - WINDOW_MS:
            self._last.popitem(last=False)
            self._failing -= first[1]

    def _is_stalled(self, now: int) -> bool:
        return len(self._in_flight) >= IN_A_ROW and now - self._progress > self._stall


def answers_of(outcomes: Sequence[Outcome], part: str = "") -> Answers | None:
    """What the outcomes of one call say of the provider, or a part of it, and our account there.

    What is a message's, an address's or another part's fault shows that the rest works. None where
    no call was made, as an inner circuit is open.
    """
    retries = [outcome for outcome in outcomes if isinstance(outcome, TransientFailure)]
    if not retries:
        return _SUCCEEDED
    if all(retry.reason is Reason.CIRCUIT_OPEN for retry in retries):
        return None
    blamed = [retry for retry in retries if retry.concerns_all and retry.part in ("", part)]
    pauses = [retry.after for retry in blamed if retry.after is not None]
    failed = bool(blamed) and len(blamed) == len(outcomes)
    return Answers(
        failed=failed,
        pause=max(pauses, default=None),
        unproven=failed and all(retry.whose is Fault.CREDENTIALS for retry in blamed),
    )
