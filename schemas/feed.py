"""What a feed is made of: a user's items, and posts (`outbox`, explicit partition)."""

from typing import Any, Literal

from msgspec import Struct

from schemas.delivery import Action
from schemas.event import Event, Name, Timestamp
from schemas.inbox import Item, ItemId


class FeedItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of a feed. What the user has not done, or no longer, has no moment.

    What is from the `inbox` can be changed there under its `id`. What is from an `outbox` was
    written to nobody, so it has no state. `notification_id` is the user's own in either case.
    """

    id: ItemId
    source: Literal["inbox", "outbox"]
    notification_id: str
    type: str
    title: str
    body: str
    occurred_at: Timestamp
    data: dict[str, Any] = {}
    seen_at: Timestamp | None = None
    read_at: Timestamp | None = None
    image: str = ""
    actions: tuple[Action, ...] = ()


class Posts(Struct, frozen=True, kw_only=True):
    """Posts, newest first. With `end` there may be more, all of them before it."""

    items: list[FeedItem]
    end: ItemId | None = None


class Written(Struct, frozen=True, kw_only=True):
    """Items of an inbox, newest first, and which of the notifications asked about are in it at all.

    With `end` there may be more, all of them before it.
    """

    items: list[Item]
    found: list[str]
    end: ItemId | None = None


class Feed(Struct, frozen=True, kw_only=True):
    """A page of a feed, newest first, and the id before which it continues, if there may be more.

    Where some of it is repeated, or is not for the user, it is shorter than was asked for.
    """

    items: list[FeedItem]
    next: ItemId | None = None


class Post(Struct, frozen=True, kw_only=True):
    """A post that feeds merge in when they are read.

    It is written once to each user partition, whose followers read it there. Its
    `notification_id` is made with no user in it, and from the event's idempotency key where there
    is one; `accepted_at` is in epoch ms.
    """

    notification_id: str
    type: Name
    event: Event
    accepted_at: int
