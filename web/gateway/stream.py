"""One client's messages: what it missed, then what is new, in order and each once."""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec
from msgspec import Raw

from schemas.inbox import MOST, Live, Message, Page, ReadInbox
from web.gateway.hub import Hub, Listener
from web.gateway.token import Subscriber
from web.inbox import ask_page
from web.workers.partition_router import Owners

MOST_MISSED = 100
"""Items that a client which comes back is sent; of more it is told to fetch."""


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Message).decode


class Said(NamedTuple):
    """A Message as it is sent, and its id."""

    id: int
    text: bytes


def said(message: Message) -> Said:
    """As it is sent."""
    return Said(message.id, _encode(message))


class Stream:
    """Begins to listen at once, so that nothing is missed between what was and what comes."""

    def __init__(
        self, hub: Hub, owners: Owners, subscriber: Subscriber, listener: Listener
    ) -> None:
        self._hub = hub
        self._owners = owners
        self._subscriber = subscriber
        self._listener = listener
        self._last = 0

    async def begin(self, last: int | None) -> list[Message]:
        """What came after the item of the number `last`; without it, the counts alone.

        Raises Unavailable where the inbox does not answer.
        """
        page = await self._read(last)
        counts = page.counts
        if last is None or last > counts.last:
            # A number that we never gave: another inbox's, or one that was erased since.
            self._last = counts.last
            return [Message("counts", counts.last, counts)]
        if page.next is not None or counts.last - last > MOST_MISSED:
            self._last = counts.last
            return [Message("fetch", counts.last, counts)]
        self._last = counts.last
        items = [Message("item", item.number, counts, item=item) for item in page.items]
        return items or [Message("counts", counts.last, counts)]

    def go_straight(self, send: Callable[[bytes], bool]) -> None:
        """Have what simply comes next sent by `send`, while `messages` has nothing in hand.

        `send` says whether it could.
        """

        def straight(live: Live[Raw]) -> bool:
            if self._follows(live) and send(live.message):
                self._last = live.id
                return True
            return False

        self._listener.straight = straight

    async def messages(self) -> AsyncIterator[Said]:
        """What is new, for as long as the client listens, apart from what goes straight."""
        while True:
            live = await self._listener.get()
            if self._listener.is_behind:
                self._listener.is_behind = False
                self._last = max(self._last, live.id)
                message = _decode(live.message)
                yield said(Message("fetch", self._last, message.counts, message.position))
            elif self._follows(live):
                self._last = live.id
                yield Said(live.id, bytes(live.message))
            elif not live.is_item or live.id > self._last:
                # Something lies between: items that did not come, or that were read in `begin`,
                # or an erasure, after which numbers begin anew.
                for message in await self.begin(self._last):
                    yield said(message)

    def _follows(self, live: Live[Raw]) -> bool:
        """Whether it is what comes next; an item that is known does not: told again, or read."""
        return live.id == self._last + live.is_item

    def end(self) -> None:
        """Listen no more."""
        self._hub.leave(self._subscriber, self._listener)

    async def _read(self, last: int | None) -> Page:
        asked = ReadInbox(
            tenant=self._subscriber.tenant,
            user=self._subscriber.user,
            which="all",
            since=last,
            limit=MOST if last is not None else 1,
        )
        after = self._hub.done(self._subscriber)
        return await ask_page(self._owners, asked, after)
