"""`receipt` in `suppressions` (key: user): that a message arrived, as far as its provider knows."""

from msgspec import Struct

from schemas.event import Hex, Moment, Name
from schemas.vocabulary import Channel


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
