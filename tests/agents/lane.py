"""What waits for a role's lane, and in which order it is taken."""

from collections import Counter

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ALL_READ
from pipeline.processing.queues import Queues
from pipeline.processing.read_first import ReadFirst
from pipeline.processing.role import Role
from pipeline.processing.slices import RECORDS, Slice, cut
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.topics import Topic
from tests.sinks.set_clock import SetClock


def runtime() -> Runtime:
    """What a role is made with; nothing is written to it."""
    clock = SetClock()
    return Runtime(Settings(), MemoryLog(clock), clock)


def record(topic: Topic, offset: int, value: bytes = b"v") -> ConsumerRecord:
    """A record that nobody reads."""
    return ConsumerRecord(topic.name, 0, offset, 0, 1, b"k", value, None, 1, 1, ())


class Waiting:
    """The queues of a lane, filled as a consumer would."""

    def __init__(self, role: Role) -> None:
        self._most = {topic: role.slice_records.get(topic, RECORDS) for topic in role.topics}
        self._left = Counter[str]()
        gate = ReadFirst(role.read_first, self._read_to, lambda: 0.0)
        self._queues = Queues(
            self._most, role.weights, ahead=role.ahead, may_go=gate.lets, work_of=role.work_of
        )

    def add(self, topic: Topic, count: int, value: bytes = b"v") -> None:
        """So many records come."""
        records = [record(topic, offset, value) for offset in range(count)]
        self._left[topic.name] += count
        place = TopicPartition(topic.name, 0)
        for slice_ in cut(place, 0, 0, records, self._most[topic.name]):
            self._queues.put(slice_)

    def take(self) -> Slice | None:
        """The next slice."""
        slice_ = self._queues.take()
        if slice_ is not None:
            self._left[slice_.partition.topic] -= len(slice_.records)
        return slice_

    def _read_to(self, topic: str) -> int:
        return -1 if self._left[topic] else ALL_READ  # all records are of time 0

    def taken(self, count: int) -> list[str]:
        """The topics of the next slices."""
        slices = [self.take() for _ in range(count)]
        return [slice_.partition.topic for slice_ in slices if slice_ is not None]
