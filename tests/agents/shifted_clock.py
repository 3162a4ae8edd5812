"""A clock that runs ahead, or stands still."""

import time


class ShiftedClock:
    """The machine's clock, ahead of it by as many milliseconds as a test says."""

    ahead = 0
    _stands_at: int | None = None

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        at = time.time_ns() // 1_000_000 if self._stands_at is None else self._stands_at
        return at + self.ahead

    def stand_still(self) -> None:
        """From now on only `ahead` moves it, however long the test takes."""
        self._stands_at = time.time_ns() // 1_000_000
