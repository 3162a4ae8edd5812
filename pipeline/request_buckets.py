"""Token buckets: so many requests a minute, evenly, with a burst of ten seconds' worth."""

import math
import time
from collections.abc import Callable

import msgspec

from pipeline.expiring import Expiring
from schemas.question import Allowance, TakeRequests

BURST_SECONDS = 10.0
_ALMOST = 1e-6
"""Of a request, by which a bucket may be short of it: sums of times are not exact."""
_decode = msgspec.json.Decoder(TakeRequests).decode
_encode = msgspec.json.Encoder().encode


def burst_of(per_minute: int) -> int:
    """How many requests are possible at once after a while without any; one at least."""
    return max(1, int(BURST_SECONDS * per_minute / 60))


class RequestBuckets:
    """The buckets of a partition, or of one web process, by name.

    What is refused costs nothing, and what was not used is not saved up. In memory alone: when a
    partition moves, its buckets are full again.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # When each bucket is full again: one number is all there is to keep, and only until then.
        self._full_at = Expiring[float]()

    def take(self, asked: TakeRequests) -> Allowance:
        """As many as there are of those that are wanted."""
        now, each, burst = self._monotonic(), 60 / asked.per_minute, burst_of(asked.per_minute)
        full_at = self._full_at.get(asked.name, now) or now
        free = burst - (full_at - now) / each
        granted = max(0, min(asked.wanted, math.floor(free + _ALMOST)))
        if granted:
            full_at += granted * each
            self._full_at.put(asked.name, full_at, ends=full_at, now=now)
        left = max(0.0, free - granted)
        whole = math.floor(left + _ALMOST)
        return Allowance(
            granted=granted,
            left=whole,
            full_in=full_at - now,
            next_in=0.0 if whole else (1 - left) * each,
        )

    def answer(self, question: bytes) -> bytes:
        """The same as JSON; raises ValidationError for what is no such question."""
        return _encode(self.take(_decode(question)))
