"""`outbox` (explicit partition): posts of actors with too many followers to write to each."""

from msgspec import Struct

from schemas.event import Event, Name


class Post(Struct, frozen=True, kw_only=True):
    """A post that feeds merge in when they are read.

    It is written once to each user partition, whose followers read it there. Its
    `notification_id` is made with no user in it, and from the event's idempotency key where there
    is one; `accepted_at` is in epoch ms.
    """

    notification_id: str
    type: Name
    event: Event
    accepted_at: int
