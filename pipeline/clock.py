"""The time, passed in wherever it is needed so that tests can set it."""

import time
from typing import Protocol

from schemas.errors import Unavailable

JUMP_MS = 60_000
"""A clock that is put forward or back by more than this between two looks is in doubt."""


class Clock(Protocol):
    """The time in epoch milliseconds."""

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...


class SystemClock:
    """The machine's own clock, held against the time that has passed since the machine started.

    Small corrections are followed. After a jump nothing more is decided: `now` raises
    Unavailable, so that the worker ends, and begins again at the new time, which is then the
    only one it knows.
    """

    def __init__(self) -> None:
        self._ahead = _wall() - _passed()

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        wall = _wall()
        ahead = wall - _passed()
        jump = ahead - self._ahead
        if abs(jump) > JUMP_MS:
            raise Unavailable(
                f"The machine's clock jumped by {jump / 1000:+.0f} s. Nothing was decided at the "
                "new time; the next start takes it for the right one. Let a time service keep it."
            )
        self._ahead = ahead
        return wall


def _wall() -> int:
    return time.time_ns() // 1_000_000


def _passed() -> int:
    # Where there is a clock that goes on while the machine sleeps, sleeping is no jump.
    which = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(which) // 1_000_000
