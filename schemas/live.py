"""`live` (no key): what is new in inboxes, a line each, for the clients that show them."""

from typing import Generic, Literal, TypeVar

from msgspec import Struct

from schemas.event import Name
from schemas.inbox_question import InboxCounts, Item


class Message(Struct, frozen=True, omit_defaults=True, gc=False):
    """What clients are sent, in one form on every transport.

    `item`: something came; `counts`: states changed; `fetch`: more came than is sent here, so
    read the inbox, with `position`. `id` is what to come back with as `last`.
    """

    kind: Literal["item", "counts", "fetch"]
    id: int
    counts: InboxCounts
    position: str = ""
    item: Item | None = None


Said = TypeVar("Said")


class Live(Struct, Generic[Said], frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An item came, or states changed, and this is the `message` that says so.

    It goes to clients as it is: whoever hands it on need not look into it, and reads it Raw. `id`
    is the message's: of a user whose last item was `id`, or is, where it `is_item` itself. It may
    be told again: the id says whether it is known. The inbox has it once the record before the
    message's `position` is done (TOPIC:OFFSET, in the user's partition), which may be a moment
    after this is read: outputs come before state.
    """

    user: Name
    id: int
    message: Said
    is_item: bool = True
    tenant: Name = "default"
