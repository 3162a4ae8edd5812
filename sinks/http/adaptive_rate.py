"""Pacing: so many calls a second and no more, fewer where the provider says it is too many."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

SLOWER, FASTER = 0.5, 1.05
"""What a rate is multiplied by when a quota is exceeded, and each second that none is."""
LEAST = 0.01
"""Share of the full rate below which it never falls."""
LONGEST = math.ceil(math.log(1 / LEAST, FASTER))
"""Seconds after which any rate is the full one again."""
LOOK_AGAIN = 1.0
"""Seconds after which who waits looks again, as the rate may have grown."""
A_CALL = 1 - 1e-6
"""What must have come together for the next call; clocks and sums are not exact."""


class Pace:
    """Lets calls through at `most` a second, evenly over time, with bursts of a second's worth.

    `exceeded` halves the rate, once for all calls that were made before it knew; after it the rate
    grows again by a twentieth a second. Urgent calls go first, others in order.
    """

    def __init__(self, most: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._rate = most
        self._room = most
        self._at = now()
        self._slowed_at = -math.inf
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def rate(self) -> float:
        """Calls a second at present."""
        return self._rate

    def take(self) -> float:
        """Take the place of one call and return 0; or the seconds after which there may be one."""
        now = self._now()
        passed, self._at = now - self._at, now
        if self._rate < self._most:
            self._rate = min(self._most, self._rate * FASTER ** min(passed, LONGEST))
        self._room = min(max(1.0, self._rate), self._room + passed * self._rate)
        if self._room < A_CALL:
            return (1 - self._room) / self._rate
        self._room -= 1
        return 0.0

    async def wait(self, *, urgent: bool = False) -> float:
        """Return when the call may be made; what it returns tells `exceeded` which call it was."""
        if self._urgent or self._waiting or self.take():
            turn = asyncio.get_running_loop().create_future()
            (self._urgent if urgent else self._waiting).append(turn)
            if self._timer is None:
                self._grant()
            await turn
        return self._now()

    def exceeded(self, made_at: float) -> None:
        """The provider said of the call made then that its quota was exceeded."""
        if made_at <= self._slowed_at:
            return
        self._slowed_at = self._now()
        self._rate = max(self._most * LEAST, self._rate * SLOWER)
        self._room = min(self._room, 0.0)

    def _grant(self) -> None:
        """Let through who may go, and come back for the next."""
        self._timer = None
        while queue := self._urgent or self._waiting:
            turn = queue[0]
            if turn.done():  # given up
                queue.popleft()
            elif seconds := self.take():
                self._timer = asyncio.get_running_loop().call_later(
                    min(seconds, LOOK_AGAIN), self._grant
                )
                return
            else:
                queue.popleft().set_result(None)
