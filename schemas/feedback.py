"""`feedback` (key: user): what a person did with a notification."""

from typing import Literal

from msgspec import Struct

from schemas.event import Hex, Moment, Name


class Feedback(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`user` saw, opened or clicked it at `at`; what waits for that not to happen is dropped.

    A later stage includes the earlier ones: what was opened was seen. Repeating it, or telling
    it late or early, changes nothing.
    """

    user: Name
    notification_id: Hex
    stage: Literal["seen", "opened", "clicked"]
    at: Moment
    tenant: Name = "default"
