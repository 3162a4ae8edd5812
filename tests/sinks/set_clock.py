"""A clock that stands where a test puts it."""

import time


class SetClock:
    """Begins at the present."""

    def __init__(self) -> None:
        self.time = time.time_ns() // 1_000_000

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return self.time
