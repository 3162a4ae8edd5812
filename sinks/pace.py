"""Pacing: so many calls a second and no more, fewer where the provider says it is too many."""

import asyncio
import time
from collections.abc import Callable

SLOWER, FASTER = 0.5, 1.05
"""What a rate is multiplied by when a quota is exceeded, and each second that none is."""
LEAST = 0.01
"""Share of the full rate below which it never falls."""


class Pace:
    """Lets calls through at `most` a second, evenly over time, with bursts of a second's worth.

    `exceeded` halves the rate; after it the rate grows again by a twentieth a second.
    """

    def __init__(self, most: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._rate = most
        self._room = most
        self._at = now()

    @property
    def rate(self) -> float:
        """Calls a second at present."""
        return self._rate

    def take(self) -> float:
        """Take the place of one call; returns the seconds to wait before it is made."""
        now = self._now()
        passed, self._at = now - self._at, now
        if self._rate < self._most:
            self._rate = min(self._most, self._rate * FASTER**passed)
        self._room = min(self._rate, self._room + passed * self._rate) - 1
        return 0.0 if self._room >= 0 else -self._room / self._rate

    async def wait(self) -> None:
        """Return when the call may be made."""
        seconds = self.take()
        if seconds:
            await asyncio.sleep(seconds)

    def exceeded(self) -> None:
        """The provider said that its quota was exceeded."""
        self._rate = max(self._most * LEAST, self._rate * SLOWER)
        self._room = min(self._room, 0.0)
