"""What the web asks the role `inapp` about a user's inbox, and the answers."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from schemas.delivery import Action
from schemas.event import Name, Timestamp
from schemas.inbox_change import ItemId

MOST = 100
Which = Literal["inbox", "unread", "archived", "snoozed", "all"]


class ReadInbox(Struct, frozen=True, kw_only=True, tag="inbox"):
    """The newest items, or those before or after an item; `after` gives the oldest of them first.

    With `since`, the items that came after the one of that number, in the order in which they came.
    `inbox` is what is neither archived nor snoozed now, `unread` what of it was not read, `snoozed`
    what comes back into it by itself.
    """

    tenant: Name
    user: Name
    which: Which = "inbox"
    before: ItemId | None = None
    after: ItemId | None = None
    since: int | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 20


class ReadCounts(Struct, frozen=True, kw_only=True, tag="counts"):
    """How many items there are."""

    tenant: Name
    user: Name


class ReadWritten(Struct, frozen=True, kw_only=True, tag="written"):
    """The newest items, or those before one, for a feed; and which of these notifications the inbox
    holds, be they archived, snoozed or on another page.
    """

    tenant: Name
    user: Name
    before: ItemId | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 20
    notifications: Annotated[list[str], Meta(max_length=MOST)] = []


InboxQuestion = ReadInbox | ReadCounts | ReadWritten


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item, the user's `number`th. What the user has not done, or no longer, has no moment.

    Of those with the same `replaces` the inbox has the one that was accepted last alone, so who
    shows another of them takes it away when this one comes.
    """

    id: ItemId
    number: int
    notification_id: str
    type: str
    title: str
    body: str
    occurred_at: Timestamp
    data: dict[str, Any] = {}
    seen_at: Timestamp | None = None
    read_at: Timestamp | None = None
    archived_at: Timestamp | None = None
    snoozed_until: Timestamp | None = None
    image: str = ""
    actions: tuple[Action, ...] = ()
    replaces: str = ""


class InboxCounts(Struct, frozen=True, omit_defaults=True):
    """Exact counts, without what is archived or snoozed now; `snoozed` are those of the latter.

    `last` is the number of the item that came last, 0 if none ever did.
    """

    unread: int
    unseen: int
    last: int
    snoozed: int = 0


class Page(Struct, frozen=True, kw_only=True):
    """Items, the counts at that moment, and the id to go on before (or after), if there is more."""

    items: list[Item]
    counts: InboxCounts
    next: ItemId | None = None
