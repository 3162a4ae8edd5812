"""What a slice writes to topics, sent together and acknowledged before anything else happens."""

import asyncio
from collections import defaultdict
from functools import lru_cache

from aiokafka.partitioner import murmur2

from pipeline.producer import Entry, Producer
from pipeline.topics import Topic


@lru_cache(maxsize=1 << 16)
def partition_of(key: str, partitions: int) -> int:
    """The partition in which every Kafka client with the default partitioner puts this key."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


class Outputs:
    """Collects the outputs of one slice; `flush` returns once the broker has all of them.

    Records of one partition keep their order. After an error it must not be assumed that none
    was written: the slice is worked through again and writes the same ids.
    """

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._entries: dict[tuple[str, int], list[Entry]] = defaultdict(list)

    def add(self, topic: Topic, partition: int, key: bytes | None, value: bytes | None) -> None:
        """One more record; nothing is sent yet."""
        self._entries[topic.name, partition].append((key, value))

    async def flush(self) -> None:
        """Send all and wait for every acknowledgement; raises Unavailable."""
        entries, self._entries = self._entries, defaultdict(list)
        await asyncio.gather(
            *(self._producer.write(*place, records) for place, records in entries.items())
        )
