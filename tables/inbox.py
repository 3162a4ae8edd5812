"""The inbox: in-app notifications of each user, by the millisecond in which they were accepted."""

from msgspec import Struct

from policy.inbox import Counts, ItemState
from policy.tracking.ticket import Ticket
from schemas.delivery import Content, Delivery
from tables.storage.table import Table, key_of, parts_of

NEW = ItemState()


class InboxItem(Struct, frozen=True, array_like=True):
    """One in-app notification as the app shows it. Epoch milliseconds.

    The `number` counts a user's items in the order in which they came into the inbox, which is
    not always that of their acceptance. Of those with the same `replaces` there is one alone.
    """

    notification_id: str
    type: str
    content: Content
    occurred_at: int
    stored_at: int
    state: ItemState = NEW
    ticket: Ticket | None = None
    number: int = 0
    replaces: str = ""


INBOX = Table(b"i", InboxItem)
COUNTS = Table(b"n", Counts, kept=10_000)
"""Counts under (tenant, user), always written with the items that they count."""


SNOOZED: Table[dict[str, int]] = Table(b"S", dict[str, int])
"""Until when (epoch ms) which items are out of sight, under (tenant, user); `Counts.snoozed` says
whether there is a row. Each has a timer of its own."""
REPLACING: Table[str] = Table(b"p", str)
"""The id of the item that there is of one thing, under (tenant, user, `replaces`)."""


def name_of(delivery: Delivery) -> str:
    """By which an inbox knows a notification: what it counts as, so that feeds have it once."""
    return delivery.counts_as or delivery.notification_id


def inbox_key(whose: bytes, accepted_at: int, name: str) -> bytes:
    """The place of an item: a user's items lie together, oldest first; a replay hits the same.

    Those that were accepted in one millisecond lie there by their names: their numbers say in which
    order they came.
    `whose` is the key of tenant and user.
    """
    return whose + key_of(_moment(accepted_at), name)


def key_of_item(tenant: str, user: str, item: str) -> bytes:
    """The place of an item by its id."""
    return key_of(tenant, user, *item.split("."))


def item_id(accepted_at: int, name: str) -> str:
    """The id of an item."""
    return f"{_moment(accepted_at)}.{name}"


def id_of_item(key: bytes) -> str:
    """The id of the item at a place."""
    return ".".join(parts_of(key)[2:])


def _moment(accepted_at: int) -> str:
    return str(accepted_at).zfill(13)


MOMENT_BYTES = len(key_of(_moment(0)))
"""So long is the part of a key, behind tenant and user, that says when an item was accepted."""
