"""Answers to what a feed has of others' posts, from the state of the user's partition."""

import logging
from collections.abc import Iterator
from functools import lru_cache
from heapq import merge
from itertools import islice

from msgspec.structs import replace

from policy.audience.feed import item_for
from policy.catalogue.catalogue import Catalogue
from policy.decision.context import Standing
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.errors import BadRecord
from schemas.feed import FeedItem, Post, Posts
from schemas.question import ReadPosts
from tables.followers import FOLLOWEES
from tables.outboxes import OUTBOXES, POST_RETENTION_MS, POSTS, item_at, place_of, post_key
from tables.pending import CANCELLED
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.users import PROFILES, user_key

MOST_LOOKED_AT = 500
"""Posts that one answer looks at, most of which the user may not want to see."""
MOST_FOLLOWED = 10_000
"""Whom one answer looks for, some 40 ms at most: of more, those that are first by their names."""
log = logging.getLogger(__name__)


class FeedAnswers:
    """Reads one partition for one question, within a transaction that is never finished."""

    def __init__(
        self, transaction: Transaction, catalogue: Catalogue, asked: ReadPosts, now: int
    ) -> None:
        self._transaction = transaction
        self._catalogue = catalogue
        self._asked = asked
        self._now = now

    def posts(self) -> Posts:
        """The newest posts that the user is to see, of those whom they follow."""
        state, found, last = self._state(), list[FeedItem](), None
        for looked_at, key in enumerate(self._newest_first()):
            if len(found) == self._asked.limit or looked_at == MOST_LOOKED_AT:
                return Posts(items=found, end=last)
            last = item_at(key)
            post = self._transaction.view(POSTS).get(key)
            item = None if post is None else self._item(post, state)
            if item is not None:
                found.append(item)
        return Posts(items=found)

    def _newest_first(self) -> Iterator[bytes]:
        oldest = f"{self._now - POST_RETENTION_MS:013d}"
        for key in merge(*self._outboxes(oldest), key=place_of):
            if item_at(key) < oldest:
                return
            yield key

    def _outboxes(self, oldest: str) -> Iterator[Iterator[bytes]]:
        """The posts, by their keys, of each whom the user follows and who has any."""
        tenant, boxes = key_of(self._asked.tenant), self._transaction.view(OUTBOXES)
        person = key_of(self._asked.tenant, self._asked.user)
        edges = self._transaction.view(FOLLOWEES).keys(person)
        keys = [tenant + edge[len(person) :] for edge in islice(edges, MOST_FOLLOWED)]
        boxes.load(keys)
        for key in keys:
            newest = boxes.get(key)
            if newest is not None and newest >= oldest:
                yield self._posts_in(key, newest)

    def _posts_in(self, outbox: bytes, newest: str) -> Iterator[bytes]:
        before = self._asked.before
        if before is None or newest < before:
            # Known without a look at the others, whose turn may not come.
            before = newest
            yield post_key(outbox, newest)
        yield from self._transaction.view(POSTS).keys(outbox, post_key(outbox, before))

    def _state(self) -> UserState:
        profile = self._transaction.view(PROFILES).get(
            user_key(self._asked.tenant, self._asked.user)
        )
        standing = Standing(profile or Profile())
        return standing.state(self._catalogue.tenant(self._asked.tenant))

    def _item(self, post: Post, state: UserState) -> FeedItem | None:
        spec, event = self._catalogue.types.get(post.type), post.event
        if spec is None:
            return None  # the catalogue has it no more
        if event.cancel_key is not None:
            key = key_of(event.tenant, event.cancel_key)
            state = replace(state, cancelled_at=self._transaction.view(CANCELLED).get(key) or 0)
        try:
            return item_for(post, self._asked.user, spec, state, self._now)
        except BadRecord as error:
            _tell(post.notification_id, str(error))
            return None


@lru_cache(maxsize=1000)
def _tell(name: str, error: str) -> None:
    """Once, and not to everyone who reads it anew."""
    log.warning("the post %s is in no feed: %s", name, error)
