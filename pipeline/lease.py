"""The lease on our partitions: a process that stood still too long must write nothing more."""

import asyncio
import math
import time
from collections.abc import Callable

from pipeline.errors import Unavailable


class Lease:
    """Ours for as long as the process never stands still for `seconds`.

    The group gives our partitions to others when it hears nothing for its session timeout. A
    process that was stopped and goes on (SIGSTOP, a suspended machine) has not noticed yet, so
    every write checks how long ago the process itself last ran. It begins with `keep`; until then
    there are no partitions, and however long a process takes to start is no matter.
    """

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._renewed = math.inf

    async def keep(self) -> None:
        """Renew for as long as the process runs; raises Unavailable when it stood still."""
        while True:
            self._renewed = self._monotonic()
            await asyncio.sleep(self._seconds / 20)
            self.check()

    def check(self) -> None:
        """Raise Unavailable if the process stood still for longer than the lease."""
        stood_still = self._monotonic() - self._renewed
        if stood_still > self._seconds:
            raise Unavailable(
                f"This process stood still for {stood_still:.1f} s, so its partitions may be "
                "another's. Nothing more was written; it starts again and asks for partitions."
            )
