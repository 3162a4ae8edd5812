"""`live` (key: user): something in a user's inbox is new, for whoever shows it just now."""

from msgspec import Struct

from schemas.event import Name
from schemas.inbox_question import InboxCounts, Item


class Live(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item came, or, without `item`, states changed.

    It may be told again: the item's number says whether it is known. The inbox has it once the
    record before `position` is done (TOPIC:OFFSET, in the user's partition), which may be a moment
    after this is read: outputs come before state.
    """

    user: Name
    counts: InboxCounts
    position: str
    item: Item | None = None
    tenant: Name = "default"
