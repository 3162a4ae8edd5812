"""`outbox` (key: actor): posts of actors with too many followers to write to each of them."""

from msgspec import Struct

from schemas.event import Event, Name


class Post(Struct, frozen=True, kw_only=True):
    """A post that feeds merge in when they are read."""

    notification_id: str
    type: Name
    event: Event
    accepted_at: int
