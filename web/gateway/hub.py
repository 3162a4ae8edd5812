"""Who shows which inbox in this process, and what is new for them, as `live` tells it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Self

import msgspec
from msgspec import Raw, Struct

from pipeline.kafka.topic_following import following
from pipeline.producing.outputs import partition_of
from pipeline.settings import Settings
from schemas.inbox import Live
from schemas.topics import LIVE
from web.gateway.token import Subscriber
from web.workers.position import own_places

WAITING = 100
"""Messages that wait for a slow client; beyond it the client is told to fetch."""
MOST_SOCKETS = 20
"""Of one user in one process."""


class _Place(Struct):
    position: str


_decode = msgspec.json.Decoder(Live[Raw]).decode_lines
_place = msgspec.json.Decoder(_Place).decode
Straight = Callable[[Live[Raw]], bool]
"""Sends a message at once, if it can be sent as it is and there is room for it; says whether."""


class Listener:
    """One client's queue. It never holds more than WAITING: a slow one loses it all at once.

    While whoever empties it waits for more, what comes may go `straight`: to wake a task for each
    message is a quarter of what it costs.
    """

    def __init__(self) -> None:
        self.is_behind = False
        self.straight: Straight | None = None
        self._is_idle = False
        self._waiting: asyncio.Queue[Live[Raw]] = asyncio.Queue(WAITING)

    def put(self, live: Live[Raw]) -> None:
        """Add a message, or, where it is too many, have the client fetch."""
        if self._is_idle and self.straight is not None and self.straight(live):
            return
        self._is_idle = False
        if self._waiting.full():
            self.is_behind = True
            while not self._waiting.empty():
                self._waiting.get_nowait()
        self._waiting.put_nowait(live)

    async def get(self) -> Live[Raw]:
        """The next message that did not go straight."""
        self._is_idle = self._waiting.empty()
        return await self._waiting.get()


class Hub:
    """Reads the end of every partition of `live`, and hands on what somebody here shows.

    Each web process reads all of it: a message goes to whichever process holds the socket, and
    nobody has to know which.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listeners: defaultdict[tuple[str, str], set[Listener]] = defaultdict(set)
        """By tenant and user: to make a Subscriber of them for each message would take longer."""
        self._following = AsyncExitStack()
        self._done: defaultdict[int, dict[str, int]] = defaultdict(dict)

    async def __aenter__(self) -> Self:
        reading = following(self._settings, LIVE, self._hand_on, from_start=False)
        await self._following.enter_async_context(reading)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._following.aclose()

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

    def done(self, subscriber: Subscriber) -> dict[str, int]:
        """What an inbox must have before it is read: whatever was handed on before now, to
        others or to nobody. Its messages come before its state."""
        return dict(self._done[partition_of(subscriber.user, self._settings.partitions)])

    def _hand_on(self, value: bytes) -> None:
        lines = _decode(value)
        last = lines[-1]
        # One slice's messages: what is to be handled before any of them is read is the last one's.
        position = _place(last.message).position
        done = self._done[partition_of(last.user, self._settings.partitions)]
        for topic, offset in own_places([position]).items():
            done[topic] = max(offset, done.get(topic, 0))
        for live in lines:
            for listener in self._listeners.get((live.tenant, live.user), ()):
                listener.put(live)
