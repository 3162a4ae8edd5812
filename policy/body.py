"""What an event says, in short: two events with one id and different bodies are in conflict."""

from hashlib import blake2b
from typing import Any

import msgspec

from policy.message import is_message, meaning_of
from policy.time.timestamps import epoch_ms
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.request import Request

_encode = msgspec.json.Encoder(order="deterministic").encode


def body_digest(event: Event) -> str:
    """16 hex digits of the event's type, actor and data, whatever the order of its fields.

    Of a message without a type it is what the data mean: what is said as it would be anyway, and
    the order of channels, make no other body.
    """
    return _digest([event.type, event.actor, _said(event)])


def counted_digest(request: Request) -> str:
    """The same of a request's event, with when it is to go out and what cancels it.

    An event that says neither has the digest that `body_digest` gives.
    """
    event, body = request.event, request.origin.body
    if not body or (event.deliver_at is None and event.cancel_key is None):
        return body
    due = None if event.deliver_at is None else epoch_ms(event.deliver_at)
    return _digest([body, due, event.cancel_key])


def is_another_body(stored: str, request: Request) -> bool:
    """Whether what was decided before under the request's id said something else.

    Empty digests are of before there were any, and those without the plan are 0.2.0's.
    """
    body = request.origin.body
    return bool(stored and body) and stored not in (body, counted_digest(request))


def data_size(event: Event) -> int:
    """Bytes of an event's data: all of it that has no bound of its own."""
    return len(_encode(event.data))


def _said(event: Event) -> Any:
    if is_message(event):
        try:
            return meaning_of(event)
        except BadRecord:
            pass  # It will be refused: whatever it says is itself.
    return event.data


def _digest(said: list[Any]) -> str:
    return blake2b(_encode(said), digest_size=8).hexdigest()
