"""Keeping the posts that feeds read: so many of each actor, and none for too long."""

from itertools import islice

from policy.audience.feed import item_id
from schemas.erasure import Withdrawal
from schemas.feed import Post
from tables.outboxes import (
    AGES,
    MOST_POSTS,
    OUTBOXES,
    POST_RETENTION_MS,
    POSTS,
    age_key,
    aged,
    item_at,
    post_key,
)
from tables.storage.table import key_of
from tables.storage.transaction import Transaction

_SWEPT = 2
"""Posts looked at for their age whenever one comes, so that more go than come."""


def keep_post(transaction: Transaction, post: Post) -> None:
    """Store a post; where the same was posted before, and is still shown, that one stays."""
    posts, tenant, actor = transaction.view(POSTS), post.event.tenant, post.event.actor
    outbox, before = key_of(tenant, actor), post.accepted_at - POST_RETENTION_MS
    items = []
    for item in list(map(item_at, posts.keys(outbox))):
        if int(item[:13]) < before:
            # Now, as otherwise the sweep would decide whether it comes up again.
            _drop(transaction, tenant, actor, item)
        else:
            items.append(item)
    name = post.notification_id
    if not any(item.endswith(name) for item in items):
        item = item_id(post)
        posts.put(post_key(outbox, item), post)
        transaction.view(AGES).put(age_key(tenant, actor, item), True)
        items = sorted((*items, item), reverse=True)
        transaction.view(OUTBOXES).put(outbox, items[0])
        for old in items[MOST_POSTS:]:
            _drop(transaction, tenant, actor, old)
    _sweep(transaction, before)


def withdraw(transaction: Transaction, said: Withdrawal) -> None:
    """Drop what an actor has posted until then."""
    actor = key_of(said.tenant, said.actor)
    for key in list(transaction.view(POSTS).keys(actor)):
        item = item_at(key)
        if int(item[:13]) <= said.at:
            _drop(transaction, said.tenant, said.actor, item)


def _sweep(transaction: Transaction, before: int) -> None:
    oldest = list(islice(transaction.view(AGES).keys(b""), _SWEPT))
    for tenant, actor, item in map(aged, oldest):
        if int(item[:13]) < before:
            _drop(transaction, tenant, actor, item)


def _drop(transaction: Transaction, tenant: str, actor: str, item: str) -> None:
    posts, outbox = transaction.view(POSTS), key_of(tenant, actor)
    posts.put(post_key(outbox, item), None)
    transaction.view(AGES).put(age_key(tenant, actor, item), None)
    newest = next(map(item_at, posts.keys(outbox)), None)
    transaction.view(OUTBOXES).put(outbox, newest)
