"""What a worker logs: one line each time something begins, not one each time it is tried."""

import logging
import time
from collections.abc import Callable

QUIET_SECONDS = 30.0


class Repeats(logging.Filter):
    """Lets the same message of the same logger pass once in 30 seconds.

    Kafka's client says several times a second that a broker is away, each of its tasks for itself.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is new, or was last said a while ago."""
        said, now = (record.name, str(record.msg)), self._monotonic()
        if now - self._last.get(said, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._last[said] = now
        return True


def set_up_logs() -> None:
    """Warnings and errors to standard error, each kind at most twice a minute."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(Repeats())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # Says that a commit took longer than half a second, which the next one makes good.
    logging.getLogger("mode.timers").setLevel(logging.ERROR)
