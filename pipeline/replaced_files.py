"""Files that others replace while we run, as the rotation of secrets and certificates does."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from schemas.errors import Misconfigured

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""Between two looks at the same files; who asks more often is answered from memory."""

T = TypeVar("T")
Monotonic = Callable[[], float]
"""Seconds of a clock that only goes forward."""


class ReplacedFiles:
    """Whether files are others than before, by what the system says of them.

    Links are followed, so that the swap of one counts, by which Kubernetes replaces all files of a
    mounted secret at once. That a file goes missing, or comes back, is a change as well.
    """

    def __init__(self, *files: Path | None, monotonic: Monotonic = time.monotonic) -> None:
        """What they are now is no change."""
        self._files = tuple(file for file in files if file is not None)
        self._monotonic = monotonic
        self._next = monotonic() + LOOK_SECONDS
        self._seen = self._look()

    def changed(self) -> bool:
        """True once for each change; looks every LOOK_SECONDS at most."""
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + LOOK_SECONDS
        seen = self._look()
        if seen == self._seen:
            return False
        self._seen = seen
        return True

    def _look(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(map(_state, self._files))


def keep_old(setting: str, why: str) -> None:
    """Log and count that the setting's new file can't be used; `why` has nothing of a secret."""
    # Imported late: commands read settings, and serve no metrics.
    from pipeline.monitoring.metrics import STALE_SECRETS

    STALE_SECRETS.labels(setting).set(1)
    log.warning("%s: %s. What was there before stays in use.", _variable(setting), why.rstrip("."))


def taken(setting: str) -> None:
    """Note that the setting's new file is in use."""
    from pipeline.monitoring.metrics import STALE_SECRETS

    STALE_SECRETS.labels(setting).set(0)
    log.info("%s: what its file holds now is used.", _variable(setting))


def renewed(setting: str, read: Callable[[], T]) -> T | None:
    """What has replaced the setting's file, which is in use from now on; None where `read` raises
    Misconfigured, as what was there before stays. Either is noted."""
    try:
        found = read()
    except Misconfigured as error:
        keep_old(setting, str(error))
        return None
    taken(setting)
    return found


def _variable(setting: str) -> str:
    return f"TOCSIN_{setting.upper()}"


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
