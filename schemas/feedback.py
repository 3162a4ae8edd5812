"""What came back, keyed by the user: `feedback` from people, `receipts` and `suppressions`.

`stops` are about numbers, so a copy of each goes to each partition of users.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.event import Hex, Moment, Name
from schemas.vocabulary import Channel, SuppressionReason


class Feedback(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`user` saw, opened or clicked it at `at`; what is pending unless that happens is dropped.

    A later stage includes the earlier ones: what was opened was seen. Repeating it, or telling
    it late or early, changes nothing. `accepted_at` (epoch ms) is when Kafka took what the
    notification was sent for, where that is known: an erasure goes by it.
    """

    user: Name
    notification_id: Hex
    stage: Literal["seen", "opened", "clicked"]
    at: Moment
    tenant: Name = "default"
    accepted_at: int = 0


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message of the notification was delivered on `channel` at `at`, says its provider.

    What is pending unless that happens is dropped. Only written where something is. Repeating it,
    or telling it late or early, changes nothing. `accepted_at` (epoch ms) is when Kafka took what
    the notification was sent for: an erasure goes by it.
    """

    user: Name
    notification_id: Hex
    channel: Channel
    at: Moment
    tenant: Name = "default"
    accepted_at: int = 0


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
