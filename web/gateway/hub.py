"""Who shows which inbox in this process, and what is new for them, as `live` tells it."""

import asyncio
import logging
from collections import defaultdict
from types import TracebackType
from typing import Self

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.settings import Settings
from pipeline.topic_reading import kafka_away
from pipeline.topics import LIVE
from schemas.live import Live
from web.gateway.token import Subscriber

WAITING = 100
"""Messages that wait for a slow client; beyond it the client is told to fetch."""
MOST_SOCKETS = 20
"""Of one user in one process."""
log = logging.getLogger(__name__)
_decode = msgspec.json.Decoder(Live).decode


class Listener:
    """One client's queue. It never holds more than WAITING: a slow one loses it all at once."""

    def __init__(self) -> None:
        self.is_behind = False
        self._waiting: asyncio.Queue[Live] = asyncio.Queue(WAITING)

    def put(self, live: Live) -> None:
        """Add a message, or, where it is too many, have the client fetch."""
        if self._waiting.full():
            self.is_behind = True
            while not self._waiting.empty():
                self._waiting.get_nowait()
        self._waiting.put_nowait(live)

    async def get(self) -> Live:
        """The next message."""
        return await self._waiting.get()


class Hub:
    """Reads the end of every partition of `live`, and hands on what somebody here shows.

    Each web process reads all of it: a message goes to whichever process holds the socket, and
    nobody has to know which.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listeners: defaultdict[Subscriber, set[Listener]] = defaultdict(set)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=50,
        )
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except KafkaError as error:
            raise kafka_away(self._settings.kafka, error) from error
        tps = [TopicPartition(LIVE.name, at) for at in range(self._settings.partitions)]
        self._consumer.assign(tps)
        await self._consumer.seek_to_end(*tps)
        for tp in tps:
            # Found out now, and not at the first fetch, when something may have been written.
            await self._consumer.position(tp)
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

    def listen(self, subscriber: Subscriber) -> Listener | None:
        """A listener from now on; None where the user has as many as may be."""
        listeners = self._listeners[subscriber]
        if len(listeners) >= MOST_SOCKETS:
            return None
        listener = Listener()
        listeners.add(listener)
        return listener

    def leave(self, subscriber: Subscriber, listener: Listener) -> None:
        """No longer."""
        self._listeners[subscriber].discard(listener)
        if not self._listeners[subscriber]:
            del self._listeners[subscriber]

    async def _read(self) -> None:
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=1000)
            except KafkaError as error:
                # It goes on by itself where it was, once Kafka is back.
                log.warning("What is live can't be read: %r", error)
                await asyncio.sleep(1)
                continue
            for records in batches.values():
                for record in records:
                    self._hand_on(record.value or b"")

    def _hand_on(self, value: bytes) -> None:
        live = _decode(value)
        for listener in self._listeners.get(Subscriber(live.tenant, live.user), ()):
            listener.put(live)
