"""What topics held within a span of time, in the order in which it was taken."""

from collections import deque
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Self

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.kafka.brokers import Kafka
from pipeline.kafka.clients import kafka_away, new_consumer
from pipeline.kafka.refusals import refusal
from schemas.topics import Topic


class History:
    """The records of these topics that Kafka took from `begin` to `end` (epoch ms, exclusive).

    An async context manager; `total` says how many offsets it reaches over. What Kafka has
    deleted by now is not there, and nothing says so. Raises Unavailable.
    """

    total = 0

    def __init__(self, kafka: Kafka, topics: Iterable[Topic], begin: int, end: int) -> None:
        self._kafka = kafka
        self._ranks = {topic.name: rank for rank, topic in enumerate(topics)}
        self._begin = begin
        self._end = end
        self._ends: dict[TopicPartition, int] = {}
        self._read: dict[TopicPartition, deque[ConsumerRecord]] = {}
        self._consumer = new_consumer(kafka, *self._ranks)

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
            await self._find()
        except KafkaError as error:
            await self._consumer.stop()
            raise await refusal(self._kafka, error) or kafka_away(self._kafka, error) from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._consumer.stop()

    async def records(self) -> AsyncIterator[ConsumerRecord]:
        """All of them, the earliest first; of the same moment, topic by topic as they were given.

        Within a partition the order is that of the offsets.
        """
        try:
            while self._ends:
                await self._fill()
                while self._read and all(self._read.values()):
                    yield self._next()
        except KafkaError as error:
            raise kafka_away(self._kafka, error) from error

    async def _find(self) -> None:
        tps = [
            TopicPartition(name, number)
            for name in self._ranks
            for number in sorted(self._consumer.partitions_for_topic(name) or ())
        ]
        starts = await self._consumer.offsets_for_times(dict.fromkeys(tps, self._begin))
        stops = await self._consumer.offsets_for_times(dict.fromkeys(tps, self._end))
        ends = await self._consumer.end_offsets(tps)
        for tp in tps:
            start, stop = starts[tp], stops[tp]
            first = ends[tp] if start is None else start.offset
            last = ends[tp] if stop is None else stop.offset
            self._consumer.seek(tp, first)
            if first < last:
                self._ends[tp] = last
                self._read[tp] = deque()
                self.total += last - first
        self._consumer.pause(*(tp for tp in tps if tp not in self._ends))

    async def _fill(self) -> None:
        """Have the next record of every partition that has one left."""
        empty = [
            tp for tp in list(self._read) if not self._read[tp] and not await self._is_over(tp)
        ]
        if not empty:
            return
        fetched = await self._consumer.getmany(*empty, timeout_ms=500)
        for tp in empty:
            end = self._ends[tp]
            self._read[tp].extend(each for each in fetched.get(tp, ()) if each.offset < end)

    async def _is_over(self, tp: TopicPartition) -> bool:
        """Whether all of a partition was read; it is then let go of, without another fetch."""
        if await self._consumer.position(tp) < self._ends[tp]:
            return False
        del self._read[tp], self._ends[tp]
        self._consumer.pause(tp)
        return True

    def _next(self) -> ConsumerRecord:
        heads = (read[0] for read in self._read.values())
        first = min(heads, key=self._place)
        return self._read[TopicPartition(first.topic, first.partition)].popleft()

    def _place(self, record: ConsumerRecord) -> tuple[int, int, int]:
        return record.timestamp, self._ranks[record.topic], record.partition
