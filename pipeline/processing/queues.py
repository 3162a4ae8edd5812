"""The queues of a lane, and which slice comes next."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from pipeline.processing.slices import BYTES, Slice, join_head

WorkOf = Callable[[Slice], float]
"""How much work a slice is, where a full one is 1."""


class Queues:
    """The slices of several topics, each topic's in order.

    Topics without a weight come first, in their order. The others share by weight: a topic of
    weight 2 gets twice the slices of a topic of weight 1 while both wait, and none starves. A
    slice that is half full counts half, unless `work_of` says how much work it is. Having been
    idle saves up nothing. Before all of them come those that go `ahead`. None is taken before
    `may_go` says so; others go on meanwhile.
    """

    def __init__(
        self,
        topics: Mapping[str, int],
        weights: Mapping[str, float],
        most_bytes: int = BYTES,
        ahead: Iterable[str] = (),
        may_go: Callable[[Slice], bool] = lambda _: True,
        work_of: WorkOf | None = None,
    ) -> None:
        self._most = topics
        self._most_bytes = most_bytes
        self._weights = weights
        self._waiting: dict[str, deque[Slice]] = {topic: deque() for topic in topics}
        self._turns = {topic: 0.0 for topic in topics if topic in weights}
        plain = [topic for topic in topics if topic not in weights]
        first = [topic for topic in ahead if topic in topics]
        self._first = [*first, *(topic for topic in plain if topic not in first)]
        self._may_go = may_go
        self._work_of = work_of or self._share_of
        self._latest = 0.0

    def put(self, slice_: Slice) -> None:
        """Queue a slice."""
        topic = slice_.partition.topic
        queue = self._waiting[topic]
        if not queue and topic in self._turns:
            self._turns[topic] = max(self._turns[topic], self._latest)
        queue.append(slice_)

    def take(self) -> Slice | None:
        """The next slice that may go, with what follows it directly; None when there is none."""
        for topic in self._first:
            if self._is_ready(topic):
                return self._join(topic)
        waiting = [topic for topic in self._turns if self._is_ready(topic)]
        if not waiting:
            return None
        topic = min(waiting, key=self._turns.__getitem__)
        slice_ = self._join(topic)
        self._latest = self._turns[topic]
        self._turns[topic] += self._work_of(slice_) / self._weights[topic]
        return slice_

    @property
    def is_held_up(self) -> bool:
        """Whether something waits, though it may be that nothing of it may go."""
        return any(self._waiting.values())

    def _share_of(self, slice_: Slice) -> float:
        # Not by records: sixteen broadcasts are as much work as a thousand requests, and a full
        # slice of either is about as long.
        return len(slice_.records) / self._most[slice_.partition.topic]

    def _is_ready(self, topic: str) -> bool:
        queue = self._waiting[topic]
        return bool(queue) and self._may_go(queue[0])

    def _join(self, topic: str) -> Slice:
        queue, ready, records = self._waiting[topic], deque[Slice](), 0
        while records <= self._most[topic] and self._is_ready(topic):
            ready.append(queue.popleft())
            records += len(ready[-1].records)
        slice_ = join_head(ready, self._most[topic], self._most_bytes)
        queue.extendleft(reversed(ready))
        return slice_
