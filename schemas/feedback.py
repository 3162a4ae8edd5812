"""`feedback` (key: user): what a person did with a notification."""

from typing import Literal

from msgspec import Struct

from schemas.event import Hex, Moment, Name


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
