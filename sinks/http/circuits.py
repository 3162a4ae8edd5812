"""Circuits by name: what fails together is left alone together, and nothing else with it."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence

from pipeline.clock import Clock
from schemas.vocabulary import Reason
from sinks.http.breaker import Answers, Breaker, answers_of
from sinks.provider import Outcome, TransientFailure

MOST = 1024
"""Circuits that are kept; beyond it those that were used the longest ago go."""


class Circuits:
    """The circuits of a provider whose addresses don't all fail together."""

    def __init__(self, timeout: float, clock: Clock) -> None:
        """`timeout` is seconds a call; a circuit stalls after half of it."""
        self._stall = round(timeout * 500)
        self._clock = clock
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()

    async def call(
        self,
        name: str,
        make: Callable[[], Awaitable[Outcome]],
        *,
        key: Hashable = None,
        said: Callable[[Sequence[Outcome]], Answers | None] = answers_of,
    ) -> Outcome:
        """Make a call, unless the circuit is open: then a Retry tells until when.

        `key` is whom it is for (see Breaker.start), `said` what its outcome says of this circuit.
        """
        breaker = self._breaker(name)
        now = self._clock.now()
        started = breaker.start(now, key)
        if started is None:
            after = (breaker.free_at(now) - now) / 1000
            return TransientFailure(Reason.CIRCUIT_OPEN, "its server is in trouble", after)
        outcome: Outcome | None = None
        try:
            outcome = await make()
        finally:
            answers = None if outcome is None else said([outcome])
            breaker.end(started, self._clock.now(), answers)
        return outcome

    def _breaker(self, name: str) -> Breaker:
        kept = self._breakers.get(name)
        if kept is None:
            kept = self._breakers[name] = Breaker(self._stall)
        self._breakers.move_to_end(name)
        while len(self._breakers) > MOST:
            # Those who are calling hold it themselves.
            self._breakers.popitem(last=False)
        return kept
