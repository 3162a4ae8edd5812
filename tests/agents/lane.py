"""What waits for a role's lane, and in which order it is taken."""

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.memory_log import MemoryLog
from pipeline.partitions import Role
from pipeline.queues import Queues
from pipeline.runtime import Runtime
from pipeline.settings import Settings
from pipeline.slices import RECORDS, Slice, cut
from pipeline.topics import Topic
from tests.sinks.set_clock import SetClock


def runtime() -> Runtime:
    """What a role is made with; nothing is written to it."""
    clock = SetClock()
    return Runtime(Settings(), MemoryLog(clock), clock)


class Waiting:
    """The queues of a lane, filled as a consumer would."""

    def __init__(self, role: Role) -> None:
        self._most = {topic: role.slice_records.get(topic, RECORDS) for topic in role.topics}
        self._queues = Queues(self._most, role.weights)

    def add(self, topic: Topic, count: int) -> None:
        """So many records come."""
        records = [
            ConsumerRecord(topic.name, 0, offset, 0, 1, b"k", b"v", None, 1, 1, ())
            for offset in range(count)
        ]
        place = TopicPartition(topic.name, 0)
        for slice_ in cut(place, 0, 0, records, self._most[topic.name]):
            self._queues.put(slice_)

    def take(self) -> Slice | None:
        """The next slice."""
        return self._queues.take()

    def taken(self, count: int) -> list[str]:
        """The topics of the next slices."""
        slices = [self.take() for _ in range(count)]
        return [slice_.partition.topic for slice_ in slices if slice_ is not None]
