"""An inbox by number and what comes of it live, without a broker; and who asks for it."""

from typing import Any

import msgspec

from schemas.inbox import InboxCounts, Item, Live, Message, Page
from web.gateway.token import Subscriber

ANN = Subscriber("acme", "ann")
AT = "2025-07-20T08:26:40.000Z"


def item(number: int) -> Item:
    """The user's item of this number."""
    return Item(
        id=f"{number:013}.{number:032x}",
        number=number,
        notification_id=f"{number:032x}",
        type="comment_added",
        title="Hi",
        body="There",
        occurred_at=AT,
    )


def counts(last: int) -> InboxCounts:
    """So many came, and all are unread."""
    return InboxCounts(unread=last, unseen=last, last=last)


def page(last: int, *numbers: int, after: int | None = None) -> Page:
    """A page of an inbox in which `last` came last."""
    return Page(
        items=[item(number) for number in numbers],
        counts=counts(last),
        next=None if after is None else item(after).id,
    )


def live(number: int, user: str = "ann", *, is_item: bool = True) -> Live[Any]:
    """What `live` says of an item that came, or of states that changed."""
    kind = "item" if is_item else "counts"
    message = Message(
        kind=kind,  # type: ignore[arg-type]
        id=number,
        counts=counts(number),
        position=f"contacts:{number}",
        item=item(number) if is_item else None,
    )
    return Live(user=user, tenant="acme", id=number, message=message, is_item=is_item)


def record(*lives: Live[Any]) -> bytes:
    """As it stands in the topic."""
    return b"\n".join(map(msgspec.json.encode, lives))
