"""The inbox: in-app notifications of each user, in the order in which they were accepted."""

from msgspec import Struct

from schemas.delivery import Content
from tables.table import Table, key_of


class InboxItem(Struct, frozen=True, array_like=True):
    """One in-app notification as the app shows it. Epoch milliseconds."""

    notification_id: str
    type: str
    content: Content
    occurred_at: int
    stored_at: int


INBOX = Table(b"i", InboxItem)


def inbox_key(tenant: str, user: str, accepted_at: int, notification_id: str) -> bytes:
    """The place of an item: a user's items lie together, oldest first; a replay hits the same."""
    return key_of(tenant, user, f"{accepted_at:013d}", notification_id)
