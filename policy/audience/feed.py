"""Feeds: what a post says to the user who reads it, and how it comes between what was written."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from policy.audience.actor import unheard
from policy.decision.builder import draft_of
from policy.decision.context import NOWHERE
from policy.decision.decide import is_cancelled, starts_at
from policy.decision.rules import MUTED, OPTED_OUT
from policy.experiments.holdout import held_out_by
from policy.identity import counted_id
from policy.notification_type import NotificationType
from policy.time.timestamps import epoch_ms, timestamp
from policy.user.state import UserState
from schemas.feed import Feed, FeedItem, Post
from schemas.inbox import Item, ItemId
from schemas.request import Request
from schemas.vocabulary import Channel

_ASKED = (OPTED_OUT, MUTED)
"""Of the rules those that say what a user wants to see; the others spare them sounds."""


class Read(Struct, frozen=True):
    """Some of a feed, newest first. With `end` there may be more, all of it before that item."""

    items: Sequence[FeedItem]
    end: ItemId | None = None


def item_id(post: Post) -> ItemId:
    """The id of the post in every feed; of two items of a feed the newer one's is greater."""
    return f"{post.accepted_at:013d}.{post.notification_id}"


def item_for(
    post: Post, user: str, spec: NotificationType, state: UserState, now: int
) -> FeedItem | None:
    """What the user reads at `now` (epoch ms), None where they are not to see the post.

    They are not if their preferences keep it out of the app, if they blocked its author, or are
    that themselves, if it was cancelled, was too old when it came, or is for later; and if its
    type says nothing in the app. Raises BadRecord
    where the event lacks what the template needs.
    """
    plan, event = spec.plan_of(Channel.INAPP), post.event
    request = Request(
        type=spec.name, user=user, event=event, origin=NOWHERE, accepted_at=post.accepted_at
    )
    occurred_at = epoch_ms(event.occurred_at)
    start = starts_at(request, spec, min(occurred_at, post.accepted_at))
    expires_at = start + spec.time_to_live
    if plan is None or start > max(now, post.accepted_at) or expires_at <= post.accepted_at:
        return None
    # By what the inbox would know it, had it been written to the user: so it is there once.
    name = counted_id(event, user, post.type)
    draft = draft_of(name, request, spec, state, occurred_at, now, start, expires_at)
    draft.look_at(plan)
    objections = (rule.test(draft) for rule in plan.rules if rule in _ASKED)
    if unheard(event, user, spec, state.profile) or is_cancelled(request, state):
        return None
    if held_out_by(spec.holdouts, event.tenant, user) is not None:
        return None
    if any(objections):
        return None
    content = draft.rendered(plan)
    return FeedItem(
        id=item_id(post),
        source="outbox",
        notification_id=name,
        type=post.type,
        title=content.title,
        body=content.body,
        occurred_at=timestamp(occurred_at),
        data=content.data,
        image=content.image,
        actions=content.actions,
    )


def item_of(written: Item) -> FeedItem:
    """An item of the inbox as feeds show it."""
    return FeedItem(
        id=written.id,
        source="inbox",
        notification_id=written.notification_id,
        type=written.type,
        title=written.title,
        body=written.body,
        occurred_at=written.occurred_at,
        data=written.data,
        seen_at=written.seen_at,
        read_at=written.read_at,
        image=written.image,
        actions=written.actions,
    )


def merged(inbox: Read, posts: Read, told: Collection[str], limit: int) -> Feed:
    """The newest `limit` of both, each notification once: in `told` are those in the inbox.

    What is older than where either ends is left for the next page, as something of the other
    may belong before it. So a page may be short; `next` says whether there may be more.
    """
    ends = [read.end for read in (inbox, posts) if read.end is not None]
    end = max(ends, default="")
    fresh = [item for item in posts.items if item.notification_id not in told]
    both = sorted((*inbox.items, *fresh), key=lambda item: item.id, reverse=True)
    items = [item for item in both if item.id >= end]
    if len(items) > limit:
        return Feed(items=items[:limit], next=items[limit - 1].id)
    return Feed(items=items, next=end or None)
