"""What a worker received of a partition number, and which answers of brokers are as new as that.

That a topic is read to its end is known from the last answer to a fetch of it, and that may be old:
the topic was left out of fetches, or its broker is slow or away. What others brought since may have
been accepted later than what the topic got meanwhile.
"""

from bisect import bisect_right
from collections import deque
from typing import NamedTuple

LATE_MS = 1000
"""A broker answers a fetch after half a second even if it has nothing; one that has not for this
long is slow or away."""
RECEIVED_RETENTION_MS = 10_000
"""For how long it is known what had been received when."""


class Answer(NamedTuple):
    """An answer to a fetch, received `at` (ms, by the worker's clock) from a broker."""

    at: int = 0
    broker: int | None = None


NOTHING = Answer()
"""Before the first answer."""


class Received:
    """The records of all topics of a partition number, as they were received."""

    def __init__(self) -> None:
        self._newest: dict[int | None, int] = {}
        self._seen = deque[tuple[int, int]]()

    def note(self, answer: Answer, timestamp: int) -> None:
        """An answer brought records, the last of which Kafka took then (epoch ms)."""
        self._newest[answer.broker] = max(answer.at, self._newest.get(answer.broker, 0))
        at, latest = self._seen[-1] if self._seen else (0, 0)
        latest = max(latest, timestamp)
        if answer.at > at:
            self._seen.append((answer.at, latest))
        else:
            self._seen[-1] = (at, latest)
        while len(self._seen) > 1 and self._seen[1][0] < answer.at - RECEIVED_RETENTION_MS:
            self._seen.popleft()

    def is_current(self, answer: Answer) -> bool:
        """Whether nothing was received later from its broker, nor much later from another.

        Each answer of a broker tells of all topics there that were fetched. Of several brokers
        each is always being asked, and answers at once when there is something, unless it is slow.
        """
        newest = self._seen[-1][0] if self._seen else 0
        return answer.at >= max(self._newest.get(answer.broker, 0), newest - LATE_MS)

    def seen_by(self, answer: Answer) -> int:
        """Of when (epoch ms) the latest record was that had been received by then; 0 for none."""
        found = bisect_right(self._seen, answer.at, key=lambda seen: seen[0])
        return self._seen[found - 1][1] if found else 0
