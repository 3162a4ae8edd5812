"""Reading a changelog partition back, in batches."""

import struct
from collections.abc import AsyncGenerator, Callable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.kafka.brokers import Kafka
from pipeline.kafka.clients import reader
from pipeline.producing.fencing import OPENED
from pipeline.producing.write_queue import Entry
from schemas.errors import BrokenChangelog, Unavailable

FETCH_BYTES = 1 << 19
"""What one fetch brings, compressed: unpacked about what is read of it before the next one
(`pipeline.kafka.decompression.FETCH_BYTES`)."""
Check = Callable[[bytes, bytes | None], object]
"""Reads one record's key and value as its table would; raises when that is impossible."""


class Changelog:
    """One partition of a changelog topic, as the truth about a partition's state."""

    def __init__(self, kafka: Kafka, topic: str, partition: int, check: Check) -> None:
        self.topic = topic
        self.partition = partition
        self._kafka = kafka
        self._check = check
        self.begins_at = 0
        """The log's first offset when it was read last: what was before that is gone."""

    async def changes_from(self, offset: int) -> AsyncGenerator[tuple[list[Entry], int], None]:
        """Records in order, batch by batch, each with the offset after its last record.

        What owners write to begin is no change, and left out. Ends at what is the end when it
        starts. An `offset` that the log no longer has begins at its start, and one past its end
        (a changelog created anew) raises BrokenChangelog.
        """
        async with reader(
            self._kafka, explain=self._away, max_partition_fetch_bytes=FETCH_BYTES
        ) as consumer:
            async for batch in self._read(consumer, offset):
                yield batch

    def check_end(self, offset: int, end: int) -> None:
        """Raise BrokenChangelog for a state made from `offset` records where there are fewer."""
        if offset > end:
            raise BrokenChangelog(
                f"{self.topic}-{self.partition} ends at {end}, but the state on disk was made "
                f"from {offset} records of it: this is another Kafka, or the topic is a new one. "
                "Nothing was processed; use another TOCSIN_DATA_DIR."
            )

    async def _read(
        self, consumer: AIOKafkaConsumer, offset: int
    ) -> AsyncGenerator[tuple[list[Entry], int], None]:
        tp = TopicPartition(self.topic, self.partition)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        self.begins_at = (await consumer.beginning_offsets([tp]))[tp]
        self.check_end(offset, end)
        consumer.seek(tp, offset)
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=1000)).values():
                yield self._changes(records), records[-1].offset + 1

    def _changes(self, records: list[ConsumerRecord]) -> list[Entry]:
        changes: list[Entry] = []
        check = self._check
        for record in records:
            key, value = record.key, record.value
            if key == OPENED:
                continue
            try:
                check(key, value)
            except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
                raise BrokenChangelog(
                    f"{self.topic}-{self.partition} offset {record.offset} can't be read "
                    f"({error}). The restore stopped before it and nothing was processed; "
                    "was the state written by a newer version of Tocsin?"
                ) from error
            changes.append((key, value))
        return changes

    def _away(self, kafka: Kafka, error: KafkaError) -> Unavailable:
        return Unavailable(
            f"Kafka at {kafka} does not answer ({error!r}) while restoring "
            f"{self.topic}-{self.partition}. Nothing was lost; the restore starts again."
        )
