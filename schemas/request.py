"""`requests.*` (key: user), `broadcast` there (explicit partition): recipients to decide on."""

from msgspec import Struct

from schemas.event import Event, Name


class Origin(Struct, frozen=True, array_like=True, gc=False):
    """Where the event is in Kafka: distinguishes our own replay from a second event with one id.

    `body` is a digest of what the event says (type, actor, data): 16 hex digits. `source` is the
    record that a source of the catalogue made it from, as SOURCE/TOPIC/PARTITION/OFFSET.
    """

    topic: str
    partition: int
    offset: int
    body: str = ""
    source: str = ""


class Request(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Decide whether `user` is notified of `event` by this notification type.

    `bulk` says that its tenant is over its share, so that it must not delay others. `after` is how
    much later (ms) than others the user is told, who come before.
    """

    type: Name
    user: Name
    event: Event
    origin: Origin
    accepted_at: int  # epoch ms: when Kafka took the event
    bulk: bool = False
    after: int = 0


class Broadcast(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Decide it for everyone of its audience whose state this partition holds.

    The audience are the followers of `followee`, or the users whose attributes have all the values
    of `segment`, or those in the segment of the catalogue that is `named`.
    """

    type: Name
    event: Event
    origin: Origin
    accepted_at: int
    followee: str = ""
    segment: dict[str, str] = {}
    bulk: bool = False
    named: str = ""
