"""`suppressions` (key: user), `stop` there (explicit partition): addresses not to be used."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.event import Moment, Name
from schemas.vocabulary import Channel, SuppressionReason

_IdOrNone = Annotated[str, Meta(pattern="^([0-9a-f]{32})?$", max_length=32)]
_Address = Annotated[str, Meta(max_length=4200)]


class Suppression(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user's address is barred for a reason from `at` until `until`, or for good.

    The address is written as in deliveries. Where only the message is known, its
    `notification_id` and `delivery_id` name it, if it is still among the user's addresses.
    `lifted` ends the bar of that reason alone. Of two records for one address and reason the
    later `at` counts, in whichever order they come; repeating one changes nothing. `accepted_at`
    (epoch ms) is when Kafka took what the message was sent for, where it is about one: an erasure
    goes by it.
    """

    user: Name
    channel: Channel
    reason: SuppressionReason
    at: Moment
    address: _Address = ""
    notification_id: _IdOrNone = ""
    delivery_id: _IdOrNone = ""
    until: Moment | None = None
    lifted: bool = False
    tenant: Name = "default"
    accepted_at: int = 0


class Stop(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The owner of this number wants no more SMS, or, with `stopped` false, wants them again.

    One on WhatsApp has that before it, `whatsapp:+…`, and then it is about messages there.

    Only the number is known, so a copy goes to each user partition. It holds for every tenant, as
    they may share the number that was answered, and for users who give this number later.
    """

    phone: Annotated[str, Meta(min_length=2, max_length=32)]  # E.164
    at: Moment
    stopped: bool = True
