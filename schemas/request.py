"""`requests` (key: user) and `broadcasts` (explicit partition): recipients to decide on."""

from msgspec import Struct

from schemas.event import Event, Name


class Origin(Struct, frozen=True, array_like=True):
    """Where the event stands in Kafka: tells our own replay from a second event with one id."""

    topic: str
    partition: int
    offset: int


class Request(Struct, frozen=True, kw_only=True):
    """Decide whether `user` is told of `event` by a notification of this type."""

    type: Name
    user: Name
    event: Event
    origin: Origin
    accepted_at: int  # epoch ms: when Kafka took the event


class Broadcast(Struct, frozen=True, kw_only=True):
    """Decide it for every follower of the event's actor whose state this partition holds."""

    type: Name
    event: Event
    origin: Origin
    accepted_at: int
