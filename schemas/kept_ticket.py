"""What the web asks a sink for a report on a message that bears a reference, and no ticket."""

from typing import Annotated

from msgspec import Meta, Struct


class ReadSentTicket(Struct, frozen=True, kw_only=True, tag="ticket"):
    """The ticket of a delivery that was sent; `day` (since 1970) is that on which it expires.

    It is answered with a list: empty where none was kept, or its user was erased.
    """

    delivery_id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    day: Annotated[int, Meta(ge=0, lt=1 << 31)]
