"""`inbox-changes` (key: user): what a user does with what is in their inbox."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.event import Moment, Name

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
