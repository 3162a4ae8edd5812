"""What an event says, in short: two events with one id and different bodies are in conflict."""

from hashlib import blake2b

import msgspec

from schemas.event import Event

_encode = msgspec.json.Encoder(order="deterministic").encode


def body_digest(event: Event) -> str:
    """16 hex digits of the event's type, actor and data, whatever the order of its fields."""
    body = _encode([event.type, event.actor, event.data])
    return blake2b(body, digest_size=8).hexdigest()


def data_size(event: Event) -> int:
    """Bytes of an event's data: all of it that has no bound of its own."""
    return len(_encode(event.data))
