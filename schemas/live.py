"""`live` (key: user): something in a user's inbox is new, for whoever shows it just now."""

from msgspec import Struct

from schemas.event import Name
from schemas.inbox_change import ItemId


class Live(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item came, or, without `item`, states or counts changed; the inbox has it already.

    It may be told again. It holds nothing to show, so that nobody sees what they may not by it.
    """

    user: Name
    item: ItemId | None = None
    tenant: Name = "default"
