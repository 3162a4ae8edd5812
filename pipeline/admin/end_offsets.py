"""Where partitions end now, asked of Kafka without reading them."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.kafka.brokers import Kafka
from pipeline.kafka.clients import new_consumer

EndOffsets = dict[TopicPartition, int]


async def learn(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> None:
    """Have a consumer that is assigned nothing know these topics, by one request.

    Asked for offsets of topics that it doesn't know, the client learns one of them per 100 ms.
    It forgets the topics that it knew before.
    """
    await consumer._client.set_topics(list(topics))  # noqa: SLF001 - the client has no other way


class Ends:
    """An async context manager; on entry it knows these topics. Raises KafkaError."""

    def __init__(self, kafka: Kafka, topics: Iterable[str]) -> None:
        self._kafka = kafka
        self._topics = frozenset(topics)

    async def __aenter__(self) -> Self:
        self._consumer = new_consumer(self._kafka)
        try:
            await self._consumer.start()
            await learn(self._consumer, self._topics)
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._consumer.stop()

    async def of(self, partitions: Iterable[TopicPartition]) -> EndOffsets:
        """The offset after the last record of each; raises KafkaError.

        Without an end while Kafka is away: callers bound the wait.
        """
        ends: EndOffsets = await self._consumer.end_offsets(list(partitions))
        return ends
