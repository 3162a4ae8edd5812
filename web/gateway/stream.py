"""One client's messages: what it missed, then what is new, in order and each once."""

from collections.abc import AsyncIterator
from typing import Literal

from msgspec import Struct

from schemas.inbox_question import MOST, InboxCounts, Item, Page, ReadInbox
from web.gateway.hub import Hub, Listener
from web.gateway.token import Subscriber
from web.inbox import ask_page
from web.owners import Owners

MOST_MISSED = 100
"""Items that a client which comes back is sent; of more it is told to fetch."""


class Message(Struct, frozen=True, omit_defaults=True):
    """The one form of messages on every transport.

    `item`: something came; `counts`: states changed; `fetch`: more came than is sent here, so
    read the inbox, with `position`. `id` is what to come back with as `last`.
    """

    kind: Literal["item", "counts", "fetch"]
    id: int
    counts: InboxCounts
    position: str = ""
    item: Item | None = None


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

    async def messages(self) -> AsyncIterator[Message]:
        """What is new, for as long as the client listens."""
        while True:
            live = await self._listener.get()
            counts = live.counts
            if self._listener.is_behind:
                self._listener.is_behind = False
                self._last = max(self._last, counts.last)
                yield Message("fetch", self._last, counts, live.position)
            elif live.item is None:
                yield Message("counts", self._last, counts, live.position)
            elif live.item.number <= self._last:
                continue  # told again, or read in `begin`
            elif live.item.number == self._last + 1:
                self._last += 1
                yield Message("item", self._last, counts, live.position, live.item)
            else:
                for message in await self.begin(self._last):
                    yield message

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
