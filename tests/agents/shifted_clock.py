"""A clock that runs ahead."""

import time


class ShiftedClock:
    """The machine's clock, ahead of it by as many milliseconds as a test says."""

    ahead = 0

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000 + self.ahead
