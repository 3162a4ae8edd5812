"""Writing to Kafka as any client would: documented topics, keys and JSON, nothing of Tocsin's."""

import asyncio
import json
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

BATCH_BYTES = 256 << 10
REQUEST_BYTES = 8 << 20
LINGER_MS = 5


class KafkaWriter:
    """An idempotent producer that waits for all replicas."""

    def __init__(self, kafka: str) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=kafka,
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
        )
        self._partitioner = DefaultPartitioner()

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._producer.stop()

    async def send(self, topic: str, key: str | None, value: Any) -> "asyncio.Future[Any]":
        """One record; the future has its place once the broker took it, or the KafkaError."""
        name, content = record_of(key, value)
        sending: asyncio.Future[Any] = await self._producer.send(topic, content, key=name)
        return sending

    async def send_all(self, topic: str, field: str, records: Iterable[dict[str, Any]]) -> int:
        """Many records, keyed by a field of each; returns their count once the broker has all.

        Batches are built here, as the client's own queue costs ten times as much a record. The
        partition is the one that its default partitioner chooses.
        """
        partitions = sorted(await self._producer.partitions_for(topic))
        filling: dict[int, Any] = {}
        sending: list[asyncio.Future[Any]] = []
        count = 0
        for record in records:
            key, value = record[field].encode(), encode(record)
            number = self._partitioner(key, partitions, partitions)
            batch = filling.get(number) or filling.setdefault(number, self._producer.create_batch())
            if batch.append(key=key, value=value, timestamp=None) is None:
                sending.append(await self._send_batch(batch, topic, number))
                batch = filling[number] = self._producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
            count += 1
        for number, batch in filling.items():
            sending.append(await self._send_batch(batch, topic, number))
        await asyncio.gather(*sending)
        return count

    async def _send_batch(self, batch: Any, topic: str, number: int) -> "asyncio.Future[Any]":
        batch.close()
        sending: asyncio.Future[Any] = await self._producer.send_batch(
            batch, topic, partition=number
        )
        return sending


def record_of(key: str | None, value: Any) -> tuple[bytes | None, bytes]:
    """A record's key and value as they go over the wire; bytes are left as they are."""
    content = value if isinstance(value, bytes) else encode(value)
    return None if key is None else key.encode(), content


def encode(value: Any) -> bytes:
    """JSON as it goes over the wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
