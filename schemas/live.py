"""`live` (key: user): something in a user's inbox is new, for whoever shows it just now."""

from msgspec import Struct

from schemas.event import Name
from schemas.inbox_question import InboxCounts, Item


class Live(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item came, or, without `item`, states changed; the inbox has it already.

    It may be told again: the item's number says whether it is known.
    """

    user: Name
    counts: InboxCounts
    item: Item | None = None
    tenant: Name = "default"
