"""Asks the workers that hold a partition what they know of a user."""

import asyncio
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from pipeline.errors import Unavailable
from pipeline.outputs import partition_of
from pipeline.queries import NOT_HERE, SIGNATURE, signature
from pipeline.settings import Settings
from pipeline.topic_reading import kafka_away
from pipeline.topics import OWNERS
from schemas.owner import Owner

Answer = TypeVar("Answer")
PATIENCE = 5.0
"""Seconds until a question that nobody answers is given up: a rebalance takes less."""
PAUSE = 0.05
_decode = msgspec.json.Decoder(Owner).decode


class Owners:
    """Knows who holds which partition, by reading `owners` from its start and on."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = settings.signing_key.get_secret_value().encode()
        self._urls: dict[tuple[str, int], str] = {}
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
        )
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except KafkaError as error:
            raise kafka_away(self._settings.kafka, error) from error
        tps = [TopicPartition(OWNERS.name, at) for at in range(self._settings.partitions)]
        self._consumer.assign(tps)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._consumer.stop()
        await self._session.close()

    async def ask(
        self,
        role: str,
        user: str,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None = None,
    ) -> Answer:
        """What the role knows, answered where the user's partition is held.

        `after` are offsets by topic in that partition that must be done before. Raises
        Unavailable where nobody answers in time, as while partitions move.
        """
        partition = partition_of(user, self._settings.partitions)
        path = f"/{partition}?{urlencode(after)}" if after else f"/{partition}"
        body = msgspec.json.encode(question)
        headers = {SIGNATURE: signature(self._key, path, body)}
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            url = self._urls.get((role, partition))
            answer = url and await self._post(f"{url}{path}", body, headers)
            if answer:
                return msgspec.json.decode(answer, type=kind)
            await asyncio.sleep(PAUSE)
        raise Unavailable(
            f"No {role} worker answers for partition {partition}. Nothing was changed; start one, "
            "or wait until the partition has moved."
        )

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                read = await response.read()
        except (aiohttp.ClientError, TimeoutError):
            return b""
        if response.status in (NOT_HERE, 503):
            return b""
        if response.status != 200:
            raise RuntimeError(f"a worker answered {response.status}: {read[:200]!r}")
        return read

    async def _read(self) -> None:
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=1000)
            except KafkaError:
                # It comes back by itself; what we know may well still hold.
                await asyncio.sleep(1)
                continue
            for records in batches.values():
                for record in records:
                    if record.value is not None:
                        owner = _decode(record.value)
                        self._urls[owner.role, owner.partition] = owner.url
