"""Topics in memory, for rehearsals and simulations: one partition each."""

from collections import defaultdict

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.clock import Clock
from pipeline.processing.slices import RECORDS, Slice, cut
from pipeline.producing.write_queue import Entry
from pipeline.records.made_record import make_record


class MemoryLog:
    """Takes records as Kafka's producer does, and gives them back in slices."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.topics: dict[str, list[ConsumerRecord]] = defaultdict(list)
        self._taken: dict[str, int] = defaultdict(int)

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Append these; whatever the partition, they go to the only one there is."""
        records, taken = self.topics[topic], self._taken[topic]
        for key, value in entries:
            place = topic, 0, taken + len(records)
            records.append(make_record(ConsumerRecord, *place, self._clock.now(), key, value))
        return taken + len(records)

    def take(self, topic: str) -> list[ConsumerRecord]:
        """The records of a topic, which forgets them; whoever reads it must be at its end."""
        records = self.topics.pop(topic, [])
        self._taken[topic] += len(records)
        return records

    def holds(self, topic: str) -> bool:
        """Whether anything was written to a topic and is not taken; who reads it may be past it."""
        return bool(self.topics.get(topic))

    def slice_from(self, topic: str, offset: int, most: int = RECORDS) -> Slice | None:
        """The next records of a topic, as a worker would get them; None at its end."""
        # Rehearsals ask for each topic again and again, and most of them hold nothing new.
        first, topic_records = offset - self._taken[topic], self.topics[topic]
        if first >= len(topic_records):
            return None
        records = topic_records[first : first + most]
        return next(cut(TopicPartition(topic, 0), 0, offset, records, most), None)
