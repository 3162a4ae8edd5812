"""What a source has made of its records since the process began, for who looks at it."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

from pipeline.monitoring import metrics
from schemas.question import SourceState

RATE_SECONDS = 15.0
"""Over which the records a second are taken."""
MOST_SHOWN = 300
"""Characters of an error, which may quote the record."""


class SourceFigures:
    """Of one source; also its counters among the process's metrics."""

    def __init__(self, source: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._monotonic = monotonic
        self._counts = Counter[str]()
        self._done = deque([(monotonic(), 0)])
        self._last_error = ""
        self._last_error_at = 0

    def count(self, outcomes: Mapping[str, int]) -> None:
        """So many records came to these ends: `moved`, `skipped` or `dead`."""
        for what, count in outcomes.items():
            metrics.SOURCE_RECORDS.labels(self._source, what).inc(count)
        self._counts.update(outcomes)
        self._done.append((self._monotonic(), self._counts.total()))
        self._forget()

    def refuse(self, place: str, why: str, at: int) -> None:
        """The record at this place was refused."""
        self._last_error, self._last_error_at = f"{place}: {why}"[:MOST_SHOWN], at

    def state(self, lag: int, waits: str) -> SourceState:
        """All of it, now."""
        self._forget()
        began, before = self._done[0]
        span = self._monotonic() - began
        return SourceState(
            source=self._source,
            lag=lag,
            per_second=round((self._counts.total() - before) / span, 1) if span > 0 else 0.0,
            moved=self._counts["moved"],
            skipped=self._counts["skipped"],
            dead=self._counts["dead"],
            last_error=self._last_error,
            last_error_at=self._last_error_at,
            waits=waits,
        )

    def _forget(self) -> None:
        # The last one from before the span stays: what came after it is what is counted.
        begin = self._monotonic() - RATE_SECONDS
        while len(self._done) > 1 and self._done[1][0] <= begin:
            self._done.popleft()
