"""The producer: records of one partition travel in batches, and each writer hears of its own."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from pipeline.errors import Unavailable
from pipeline.kafka_clients import new_client
from pipeline.lease import Lease

BATCH_BYTES = 7 << 20
"""A slice's state goes to its changelog in one batch, so that a crash can't tear it."""
RECORD_OVERHEAD = 32
REQUEST_BYTES = 16 << 20
REQUEST_TIMEOUT_MS = 30_000

Entry = tuple[bytes | None, bytes | None]
"""A record's key and value."""
Submission = tuple[list[Entry], "asyncio.Future[int]"]
"""What one caller writes, and the offset after it once it is acknowledged."""


class Producer(AIOKafkaProducer):
    """An idempotent producer that writes to a partition, in one go, whatever waits for it.

    While one write to a partition is under way, what others add waits and then goes together.
    Left to the client, every batch would fight for the partition's only place, and one that lost
    often enough would time out. With a lease, a process that stood still writes nothing.
    """

    def __init__(self, lease: Lease | None = None, **options: Any) -> None:
        super().__init__(acks="all", enable_idempotence=True, **options)
        self._lease = lease
        self._waiting: dict[tuple[str, int], list[Submission]] = {}
        self._writers: set[asyncio.Task[None]] = set()

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Append records, in order; returns the offset after the last, once acknowledged.

        Raises Unavailable; then it must not be assumed that none of them was written.
        """
        place = topic, partition
        end = asyncio.get_running_loop().create_future()
        if place in self._waiting:
            self._waiting[place].append((entries, end))
        else:
            self._waiting[place] = [(entries, end)]
            # A task of its own: a caller that is cancelled must not take the others along.
            writer = asyncio.create_task(self._write_all(topic, partition))
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return int(await end)

    async def _write_all(self, topic: str, partition: int) -> None:
        place = topic, partition
        try:
            while submissions := self._waiting[place]:
                self._waiting[place] = []
                await self._write_some(topic, partition, submissions)
        finally:
            del self._waiting[place]

    async def _write_some(self, topic: str, partition: int, submissions: list[Submission]) -> None:
        try:
            ends = await self._append(topic, partition, [entries for entries, _ in submissions])
        except Exception as error:
            _fail(submissions, _explained(topic, partition, error))
        else:
            for (_, future), end in zip(submissions, ends, strict=True):
                if not future.done():
                    future.set_result(end)

    async def _append(self, topic: str, partition: int, groups: list[list[Entry]]) -> list[int]:
        if self._lease is not None:
            self._lease.check()
        batches, places = self._batches(groups)
        sent = [await self.send_batch(batch, topic, partition=partition) for batch in batches]
        written = [await acknowledgement for acknowledgement in sent]
        return [written[number].offset + count for number, count in places]

    def _batches(
        self, groups: list[list[Entry]]
    ) -> tuple[list[BatchBuilder], list[tuple[int, int]]]:
        """Batches of all entries, and for each group in which batch, how far in, it ends.

        A group that fits into a batch is never split, so it is written whole or not at all.
        """
        batches = [self.create_batch()]
        places = []
        for entries in groups:
            if batches[-1].record_count() and batches[-1].size() + size_of(entries) > BATCH_BYTES:
                batches.append(self.create_batch())
            for key, value in entries:
                if batches[-1].append(key=key, value=value, timestamp=None) is None:
                    batches.append(self.create_batch())
                    batches[-1].append(key=key, value=value, timestamp=None)
            places.append((len(batches) - 1, batches[-1].record_count()))
        for batch in batches:
            batch.close()
        return batches, places


async def start_producer(kafka: str, lease: Lease | None = None) -> Producer:
    """A producer that waits for all replicas; raises Unavailable without a broker."""
    producer = new_client(
        Producer,
        kafka,
        lease,
        max_batch_size=BATCH_BYTES,
        max_request_size=REQUEST_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    try:
        await producer.start()
    except KafkaError as error:
        await producer.stop()
        raise Unavailable(
            f"Kafka does not answer at {kafka}. Nothing was read or lost; start it, or set "
            "TOCSIN_KAFKA to where it listens."
        ) from error
    return producer


def size_of(entries: Iterable[Entry]) -> int:
    """Bytes that these take in a batch, about."""
    return sum(len(key or b"") + len(value or b"") + RECORD_OVERHEAD for key, value in entries)


def _fail(submissions: list[Submission], error: Exception) -> None:
    for _, future in submissions:
        if not future.done():
            future.set_exception(error)


def _explained(topic: str, partition: int, error: Exception) -> Exception:
    if not isinstance(error, KafkaError):
        return error
    return Unavailable(
        f"Kafka did not take what was to be written to {topic}-{partition} ({error!r}). The "
        "input was not committed and is read again."
    )
