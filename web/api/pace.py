"""How many requests a key may make: so many a minute, evenly, with a burst of ten seconds'."""

import time
from collections.abc import Callable
from typing import NamedTuple

BURST_SECONDS = 10.0


class Turn(NamedTuple):
    """Whether a request may be made; `left` are those that may follow at once, `wait` seconds."""

    allowed: bool
    limit: int
    left: int
    wait: float

    def headers(self) -> dict[str, str]:
        """As the draft for RateLimit header fields names them."""
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": str(max(0, round(self.wait + 0.5))),
        }
        return found if self.allowed else {**found, "Retry-After": found["RateLimit-Reset"]}


class Pace:
    """Token buckets by key, in this process alone."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._free_at: dict[str, float] = {}

    def take(self, key: str, per_minute: int) -> Turn:
        """One request's turn."""
        now, each = self._monotonic(), 60 / per_minute
        burst = max(1, int(BURST_SECONDS / each))
        # When the bucket would be full again: one number is all there is to keep.
        full_at = max(self._free_at.get(key, 0.0), now)
        used = (full_at - now) / each
        if used + 1 > burst:
            return Turn(False, per_minute, 0, (used + 1 - burst) * each)
        self._free_at[key] = full_at + each
        return Turn(True, per_minute, int(burst - used - 1), full_at + each - now)
