"""Records on their way to the broker, batched by partition; acknowledged before anything else."""

import asyncio
from collections import defaultdict
from functools import lru_cache

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from pipeline.errors import Unavailable
from pipeline.topics import Topic

Entry = tuple[bytes | None, bytes | None]


@lru_cache(maxsize=1 << 16)
def partition_of(key: str, partitions: int) -> int:
    """The partition in which every Kafka client with the default partitioner puts this key."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


class Outputs:
    """Collects the outputs of one slice; `flush` returns once the broker has all of them.

    Records of one partition keep their order. After an error it must not be assumed that none
    was written: the slice is worked through again and writes the same ids.
    """

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._entries: dict[tuple[str, int], list[Entry]] = defaultdict(list)

    def add(self, topic: Topic, partition: int, key: bytes | None, value: bytes | None) -> None:
        """One more record; nothing is sent yet."""
        self._entries[topic.name, partition].append((key, value))

    async def flush(self) -> None:
        """Send all and wait for every acknowledgement; raises Unavailable."""
        entries, self._entries = self._entries, defaultdict(list)
        if entries:
            await asyncio.gather(
                *(send(self._producer, *target, records) for target, records in entries.items())
            )


async def send(producer: AIOKafkaProducer, topic: str, partition: int, entries: list[Entry]) -> int:
    """Append records to one partition, in order; returns the offset after the last of them."""
    batches = _batches(producer, entries)
    try:
        sent = [await producer.send_batch(batch, topic, partition=partition) for batch in batches]
        written = [await acknowledgement for acknowledgement in sent]
    except KafkaError as error:
        raise Unavailable(
            f"Kafka did not take {len(entries)} records for {topic}-{partition} ({error!r}). "
            "The input was not committed and is read again."
        ) from error
    return int(written[-1].offset + batches[-1].record_count())


def _batches(producer: AIOKafkaProducer, entries: list[Entry]) -> list[BatchBuilder]:
    batches = [producer.create_batch()]
    for key, value in entries:
        if batches[-1].append(key=key, value=value, timestamp=None) is None:
            batches.append(producer.create_batch())
            batches[-1].append(key=key, value=value, timestamp=None)
    for batch in batches:
        batch.close()
    return batches
