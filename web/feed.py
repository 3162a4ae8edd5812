"""One user's feed: their inbox, and between it posts of much-followed actors whom they follow."""

from collections.abc import Mapping
from typing import Annotated, Protocol, TypeVar

from msgspec import Meta, Struct

from policy.audience.feed import Read, item_of, merged
from schemas.feed import Feed, Posts, Written
from schemas.inbox import MOST, ItemId, ReadWritten
from schemas.question import ReadPosts
from web.gateway.token import Subscriber

POSTS_ROLE, INBOX_ROLE = "decider", "inapp"
Answer = TypeVar("Answer")


class Asks(Protocol):
    """Asks whoever holds a user's partition, as `web.workers.partition_router.Owners` does."""

    async def ask(
        self,
        role: str,
        user: str,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None = None,
    ) -> Answer:
        """What the role knows of the user; raises Unavailable."""
        ...


class FeedQuery(Struct, frozen=True, kw_only=True):
    """Newest first; `before` is a page's `next`, `position` what a write answered."""

    before: ItemId | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 20
    position: str | None = None


async def read_feed(
    owners: Asks, whose: Subscriber, query: FeedQuery, after: Mapping[str, int]
) -> Feed:
    """A page from the user's own partition; `after` are offsets by topic to be done before.

    What was written to the inbox is read last, and in one go with which of the posts are in it:
    so a post that is written at this very moment is there once. Raises Unavailable.
    """
    tenant, user = whose
    asked = ReadPosts(tenant=tenant, user=user, before=query.before, limit=query.limit)
    posts = await owners.ask(POSTS_ROLE, user, asked, Posts, after)
    names = [post.notification_id for post in posts.items]
    question = ReadWritten(
        tenant=tenant, user=user, before=query.before, limit=query.limit, notifications=names
    )
    written = await owners.ask(INBOX_ROLE, user, question, Written, after)
    inbox = Read([item_of(item) for item in written.items], written.end)
    return merged(inbox, Read(posts.items, posts.end), written.found, query.limit)
