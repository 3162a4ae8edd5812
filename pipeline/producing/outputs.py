"""What a slice writes to topics, sent together and acknowledged before anything else happens."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Protocol, runtime_checkable

from pipeline.kafka.murmur2 import murmur2
from pipeline.producing.write_queue import Entry, Place
from schemas.topics import GATHERED, LARGEST_RECORD, LINES, Topic

MOST_BYTES = LARGEST_RECORD - (64 << 10)
"""Of one value: what Kafka takes, with room for its key and what stands around both."""
LINES_BYTES = 1 << 18
"""What one record of lines holds at most, unless a single line is larger."""


@lru_cache(maxsize=1 << 16)
def partition_of(key: str, partitions: int) -> int:
    """The partition in which every Kafka client with the default partitioner puts this key."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


class Log(Protocol):
    """Takes records: Kafka's producer, or memory."""

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Append these entries; on return they are acknowledged. The offset after the last one."""
        ...


Records = list[tuple[str, int, list[Entry]]]
"""Records by topic and partition, as they are sent: also in the changelog, until they are."""
NO_RECORDS: Records = []
Acknowledged = Callable[[], None]
"""Called once Kafka has acknowledged what it was given with."""


def ignore() -> None:
    """Where nobody has to know that something was acknowledged."""


@runtime_checkable
class GatheringLog(Protocol):
    """A log that has what nobody waits for written with others', before frontiers are committed."""

    def gather(self, records: Records, acknowledged: Acknowledged) -> Collection[Place]:
        """See `pipeline.producing.gathering.Gathering.gather`."""
        ...

    async def settled(self, places: Collection[Place]) -> None:
        """See `pipeline.producing.gathering.Gathering.settled`."""
        ...


async def send(log: Log, records: Records) -> list[int]:
    """Send all and wait for every acknowledgement; the offset after the last one of each place."""
    if len(records) == 1:  # as of most slices at ordinary load: it needs no task of its own
        return [await log.write(*records[0])]
    return await asyncio.gather(*(log.write(*place) for place in records))


class Outputs:
    """Collects the outputs of one slice; `flush` returns once the broker has all of them.

    Records of one partition keep their order; where a topic takes values by the line, many share
    a record, which has no key. After an error it must not be assumed that none
    was written: the slice is worked through again and writes the same ids.
    """

    def __init__(self, producer: Log) -> None:
        self._producer = producer
        self.entries: dict[tuple[str, int], list[Entry]] = defaultdict(list)
        """By topic and partition, what is not sent yet."""
        self.size = 0
        """Bytes of all values that were added."""

    def add(self, topic: Topic, partition: int, key: bytes | None, value: bytes | None) -> None:
        """One more record; nothing is sent yet.

        With None for a value, a compacted topic forgets the key. Raises ValueError for more than
        Kafka takes: whatever asks for that can't be done, now or later.
        """
        size = 0 if value is None else len(value)
        if size > MOST_BYTES:
            raise ValueError(f"{size} bytes for {topic.name}, {MOST_BYTES} are possible")
        self.entries[topic.name, partition].append((key, value))
        self.size += size

    def extend(self, other: "Outputs") -> None:
        """Add all that another holds."""
        for place, entries in other.entries.items():
            self.entries[place] += entries
        self.size += other.size

    def take(self) -> Records:
        """All that was added, as it is to be sent; nothing is left here."""
        entries, self.entries = self.entries, defaultdict(list)
        return [
            (topic, partition, in_lines(added) if topic in LINES else added)
            for (topic, partition), added in entries.items()
        ]

    def part(self, records: Records) -> tuple[Records, Records]:
        """Of what was taken, what is to be sent at once, and what the log writes with others'."""
        if not isinstance(self._producer, GatheringLog):
            return records, []
        now, later = Records(), Records()
        for each in records:
            (later if each[0] in GATHERED else now).append(each)
        return now, later

    async def send(
        self, records: Records, later: Records = NO_RECORDS, acknowledged: Acknowledged = ignore
    ) -> None:
        """Send what was taken, and wait for every acknowledgement; raises Unavailable.

        What is sent `later` is as `part` said, and `acknowledged` is called once it was.
        """
        if later and isinstance(self._producer, GatheringLog):
            full = self._producer.gather(later, acknowledged)
            await send(self._producer, records)
            if full:
                await self._producer.settled(full)
        else:
            await send(self._producer, [*records, *later])
            acknowledged()

    async def flush(self) -> dict[tuple[str, int], int]:
        """Send all and wait for every acknowledgement; raises Unavailable.

        By topic and partition, the offset after the last record.
        """
        records = self.take()
        ends = await send(self._producer, records)
        return {(topic, at): end for (topic, at, _), end in zip(records, ends, strict=True)}


def in_lines(entries: list[Entry]) -> list[Entry]:
    """Values that share records by the line, in their order; a record holds LINES_BYTES of them, or
    a single one that is larger."""
    lines = [value or b"" for _, value in entries]
    if len(lines) == 1 or sum(map(len, lines)) <= LINES_BYTES:
        return [(None, b"\n".join(lines))]
    middle = len(lines) // 2
    return in_lines(entries[:middle]) + in_lines(entries[middle:])
