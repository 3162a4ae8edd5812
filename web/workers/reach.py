"""Whether this web process is of use: it is as long as Kafka answers it."""

import asyncio
import time
from contextlib import suppress

from aiohttp import web
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from pipeline.producing.producer import Producer

ANSWER_SECONDS = 1.0
KEPT_SECONDS = 1.0
"""For which an answer serves everybody who asks: anybody may, as often as they like."""


class Reach:
    """Asks brokers something that costs them nothing."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._known: bool | None = None
        self._known_at = 0.0
        self._asking = asyncio.Lock()

    async def answer(self, _: web.Request) -> web.Response:
        """200 where a broker answered within a second, else 503."""
        if await self.is_there():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="Kafka does not answer\n")

    async def is_there(self) -> bool:
        """Whether any broker answers within a second; asked at most once in that time."""
        async with self._asking:
            if self._known is None or time.monotonic() - self._known_at > KEPT_SECONDS:
                self._known = await self._ask()
                self._known_at = time.monotonic()
            return self._known

    async def _ask(self) -> bool:
        nodes = [broker.nodeId for broker in self._producer.client.cluster.brokers()]
        asked = [asyncio.create_task(self._answers(node)) for node in nodes]
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    for done in asyncio.as_completed(asked):
                        if await done:
                            return True
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return False

    async def _answers(self, node: int) -> bool:
        try:
            await self._producer.client.send(node, MetadataRequest([]))
        except KafkaError:
            return False
        return True
