"""What an inbox holds, `inbox-changes` (key: user), and what clients are told at once, `live`."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import Meta, Struct

from schemas.delivery import Action
from schemas.event import Moment, Name, Timestamp

ItemId = Annotated[str, Meta(pattern=r"^[0-9]{13}\.[0-9a-f]{32}$", max_length=46)]
"""An item of an inbox: when it was accepted, in epoch ms, and what it counts as, its notification
or its idempotency key's; so ids of one user are in the order of the inbox, but for those of one
millisecond."""


class InboxChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`user` did this at `at` to one item, or, without `item`, to all that were there then.

    Of changes that contradict (read, unread) the later `at` counts, in whichever order they come;
    repeating one changes nothing. What was read was seen. `until` is for what is snoozed.
    """

    user: Name
    kind: Literal["seen", "read", "unread", "archived", "unarchived", "snoozed"]
    at: Moment
    item: ItemId | None = None
    until: Moment | None = None
    tenant: Name = "default"


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
    after this is read: frontiers move once outputs are acknowledged.
    """

    user: Name
    id: int
    message: Said
    is_item: bool = True
    tenant: Name = "default"
