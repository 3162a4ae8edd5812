"""What waits for a lane, and which slice of it comes next."""

from collections import deque
from collections.abc import Mapping

from pipeline.slices import BYTES, Slice, join_head


class Queues:
    """The slices of several topics, each topic's in order.

    Topics without a weight come first, in their order. The others share by weight: a topic of
    weight 2 gets twice the slices of a topic of weight 1 while both wait, and none starves. A
    slice that is half full counts half. Having been idle saves up nothing.
    """

    def __init__(
        self, topics: Mapping[str, int], weights: Mapping[str, float], most_bytes: int = BYTES
    ) -> None:
        self._most = topics
        self._most_bytes = most_bytes
        self._weights = weights
        self._waiting: dict[str, deque[Slice]] = {topic: deque() for topic in topics}
        self._turns = {topic: 0.0 for topic in topics if topic in weights}
        self._latest = 0.0

    def put(self, slice_: Slice) -> None:
        """Queue a slice."""
        topic = slice_.partition.topic
        queue = self._waiting[topic]
        if not queue and topic in self._turns:
            self._turns[topic] = max(self._turns[topic], self._latest)
        queue.append(slice_)

    def take(self) -> Slice | None:
        """The next slice, with what follows it directly; None when nothing waits."""
        for topic, queue in self._waiting.items():
            if queue and topic not in self._turns:
                return join_head(queue, self._most[topic], self._most_bytes)
        waiting = [topic for topic in self._turns if self._waiting[topic]]
        if not waiting:
            return None
        topic = min(waiting, key=self._turns.__getitem__)
        slice_ = join_head(self._waiting[topic], self._most[topic], self._most_bytes)
        self._latest = self._turns[topic]
        # Not by records: sixteen broadcasts are as much work as a thousand requests, and a full
        # slice of either is about as long.
        self._turns[topic] += len(slice_.records) / self._most[topic] / self._weights[topic]
        return slice_
