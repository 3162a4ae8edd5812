"""Keeping the posts that feeds read: so many of each actor, and none for too long."""

from itertools import islice

from policy.audience.feed import item_id
from schemas.post import Post
from schemas.withdrawal import Withdrawal
from tables.outboxes import (
    AGES,
    KEPT_MS,
    MOST_POSTS,
    OUTBOXES,
    POSTS,
    age_key,
    aged,
    item_at,
    post_key,
)
from tables.storage.table import key_of
from tables.storage.transaction import Turn

_SWEPT = 2
"""Posts looked at for their age whenever one comes, so that more go than come."""


def keep_post(turn: Turn, post: Post) -> None:
    """Store a post; where the same was posted before, and is still shown, that one stays."""
    posts, tenant, actor = turn.view(POSTS), post.event.tenant, post.event.actor
    outbox, before = key_of(tenant, actor), post.accepted_at - KEPT_MS
    items = []
    for item in list(map(item_at, posts.keys(outbox))):
        if int(item[:13]) < before:
            # Now, as otherwise the sweep would decide whether it comes up again.
            _drop(turn, tenant, actor, item)
        else:
            items.append(item)
    name = post.notification_id
    if not any(item.endswith(name) for item in items):
        item = item_id(post)
        posts.put(post_key(outbox, item), post)
        turn.view(AGES).put(age_key(tenant, actor, item), True)
        items = sorted((*items, item), reverse=True)
        turn.view(OUTBOXES).put(outbox, items[0])
        for old in items[MOST_POSTS:]:
            _drop(turn, tenant, actor, old)
    _sweep(turn, before)


def withdraw(turn: Turn, said: Withdrawal) -> None:
    """Drop what an actor has posted until then."""
    actor = key_of(said.tenant, said.actor)
    for key in list(turn.view(POSTS).keys(actor)):
        item = item_at(key)
        if int(item[:13]) <= said.at:
            _drop(turn, said.tenant, said.actor, item)


def _sweep(turn: Turn, before: int) -> None:
    oldest = list(islice(turn.view(AGES).keys(b""), _SWEPT))
    for tenant, actor, item in map(aged, oldest):
        if int(item[:13]) < before:
            _drop(turn, tenant, actor, item)


def _drop(turn: Turn, tenant: str, actor: str, item: str) -> None:
    posts, outbox = turn.view(POSTS), key_of(tenant, actor)
    posts.put(post_key(outbox, item), None)
    turn.view(AGES).put(age_key(tenant, actor, item), None)
    newest = next(map(item_at, posts.keys(outbox)), None)
    turn.view(OUTBOXES).put(outbox, newest)
