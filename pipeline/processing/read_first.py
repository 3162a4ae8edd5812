"""Which topics must be read before a slice of another is taken, and for how long it waits."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.processing.slices import Slice

STALL_TIMEOUT_SECONDS = 60.0
"""Seconds for which reading may stand still before what waits for it goes all the same."""
GRACE = 0.2
"""Seconds that a slice waits for what it can do without."""


@dataclass(frozen=True)
class Before:
    """What is to be read up to the time of a slice before it is taken.

    `must` holds it up until it is read, or until reading has stood still for
    STALL_TIMEOUT_SECONDS. `should` holds it up for GRACE; where that is not enough there is a
    backlog, and until it is caught up nothing waits for it.
    """

    must: tuple[str, ...] = ()
    should: tuple[str, ...] = ()


@dataclass
class _Reading:
    """How far topics were read when that last changed, and when it did."""

    read: int = -1
    since: float = 0.0


class ReadFirst:
    """Lets slices go once what Kafka took before them is handled.

    `read_to` says of a topic up to when (epoch ms) it is; `monotonic` tells the seconds.
    """

    def __init__(
        self,
        rules: Mapping[str, Before],
        read_to: Callable[[str], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._read_to = read_to
        self._monotonic = monotonic
        self._readings: dict[tuple[str, ...], _Reading] = {}
        self._behind_since: dict[str, float] = {}

    def lets(self, slice_: Slice) -> bool:
        """Whether a slice may go now: what is read first is, up to its last record's time."""
        topic = slice_.partition.topic
        rule = self._rules.get(topic)
        if rule is None:
            return True
        at = slice_.records[-1].timestamp
        if not self._is_read(rule.must, at):
            return False
        if all(self._read_to(other) >= at for other in rule.should):
            self._behind_since.pop(topic, None)
            return True
        now = self._monotonic()
        return now - self._behind_since.setdefault(topic, now) > GRACE

    def _is_read(self, topics: tuple[str, ...], at: int) -> bool:
        if all(self._read_to(topic) >= at for topic in topics):
            return True
        read = min(map(self._read_to, topics))
        known, now = self._readings.setdefault(topics, _Reading()), self._monotonic()
        if read != known.read:
            known.read, known.since = read, now
        return now - known.since > STALL_TIMEOUT_SECONDS
