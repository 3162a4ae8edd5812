"""The lease on our partitions: who may have lost them writes nothing more and calls nobody."""

import asyncio
import math
import time
from collections.abc import Callable

from schemas.errors import Unavailable

SHARE = 5 / 6
"""Of the session timeout; the rest is for what was checked just before to reach its receiver."""


def seconds_since_boot() -> float:
    """A clock that nobody sets; where the system has one, it counts suspended time too."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Lease:
    """Ours for some seconds from when the last request was sent that the coordinator answered.

    The group gives our partitions to others when its coordinator hears nothing from us for the
    session timeout, which begins at the earliest when we sent something. So every write and every
    provider call looks at the lease right before it goes out. It concerns the time between `begin`
    and `end`, in which we hold partitions. All but `keep` and `held` may be called from any thread.
    """

    def __init__(
        self, session_timeout: float, clock: Callable[[], float] = seconds_since_boot
    ) -> None:
        self.seconds = session_timeout * SHARE
        self.now = clock
        self._sent_at = -math.inf
        self._concerns = False
        self._was_held = False

    def begin(self) -> None:
        """There are partitions now; they may be opened once the lease is `held`."""
        self._was_held = False
        self._concerns = True

    def renew(self, sent_at: float) -> None:
        """The coordinator answered that we are its member; `sent_at` is our `now` of the request.

        A later request may be answered first.
        """
        self._sent_at = max(self._sent_at, sent_at)

    def lose(self) -> None:
        """We are the group's member no more."""
        self._sent_at = -math.inf

    def end(self) -> None:
        """There are no partitions any more: nothing is in hand."""
        self._concerns = False

    def check(self) -> None:
        """Raise Unavailable unless our partitions are surely still ours."""
        if self._concerns and not self._is_held():
            raise Unavailable(self._why())

    async def held(self) -> None:
        """Wait until the coordinator has answered a request that is recent enough."""
        while self._concerns and not self._is_held():
            if self._was_held:
                raise Unavailable(self._why())
            await asyncio.sleep(self.seconds / 50)

    async def keep(self) -> None:
        """Watch for as long as the process runs; raises Unavailable when the lease has ended."""
        while True:
            await asyncio.sleep(self.seconds / 20)
            if self._concerns and not self._is_held() and self._was_held:
                raise Unavailable(self._why())

    def _is_held(self) -> bool:
        is_held = self.now() - self._sent_at <= self.seconds
        self._was_held |= is_held
        return is_held

    def _why(self) -> str:
        said = (
            "Kafka says that this process is no member of its group any more"
            if math.isinf(self._sent_at)
            else "The coordinator of this process's group has answered nothing that was sent in "
            f"the last {self.now() - self._sent_at:.1f} s"
        )
        return (
            f"{said}, so its partitions may be another's. Nothing more was written and no "
            "provider called; it starts again and asks for partitions."
        )
