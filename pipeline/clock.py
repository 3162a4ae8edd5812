"""The time, passed in wherever it is needed so that tests can set it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in epoch milliseconds."""

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000
