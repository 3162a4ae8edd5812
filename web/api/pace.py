"""How many requests a key may make: so many a minute, evenly, with a burst of ten seconds'."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

BURST_SECONDS = 10.0


class Turn(NamedTuple):
    """Whether a request may be made: of `limit` at once `left` may still follow, and all of them
    again after `reset` seconds. `window` is how long it takes to have all again from none.
    """

    allowed: bool
    limit: int
    left: int
    reset: float
    window: float

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-06 names them; seconds are rounded up.

        What is refused may be tried again when all is possible again, so that both say the same.
        """
        reset = str(math.ceil(self.reset))
        found = {
            "RateLimit-Policy": f"{self.limit};w={math.ceil(self.window)}",
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": reset,
        }
        return found if self.allowed else {**found, "Retry-After": reset}


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
        allowed = used + 1 <= burst
        if allowed:
            self._free_at[key] = full_at = full_at + each
        left = int(burst - used - 1) if allowed else 0
        return Turn(allowed, burst, left, full_at - now, burst * each)
