"""Tickets: what a message carries so that whatever comes back from it can be told whose it is.

Providers hand it back with receipts, and the links in a message bear it. It is signed, since links
can be typed by anybody, and it is no secret: it can be read by whoever holds it.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

import msgspec
from msgspec import Struct

from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Priority

SIGNATURE = 16  # bytes: a forger would need 2^64 tries on average, each a request to us


class Ticket(Struct, frozen=True, array_like=True):
    """A delivery, as far as a delivery event tells of it; ids are their 16 bytes.

    Tickets outlive the program that issued them: a field is only ever added, at the end and with a
    default.
    """

    delivery_id: bytes
    notification_id: bytes
    event_id: str
    tenant: str
    user: str
    type: str
    category: str
    channel: Channel
    priority: Priority
    occurred_at: int
    accepted_at: int
    catalogue: str = ""


def issue_ticket(delivery: Delivery, key: bytes) -> str:
    """The delivery's ticket, of letters, digits, `-` and `_`; the same for the same delivery."""
    body = msgspec.msgpack.encode(ticket_of(delivery))
    return urlsafe_b64encode(_signature(body, key) + body).rstrip(b"=").decode()


def ticket_of(delivery: Delivery) -> Ticket:
    """The delivery's ticket, not yet signed."""
    return Ticket(
        delivery_id=bytes.fromhex(delivery.delivery_id),
        notification_id=bytes.fromhex(delivery.notification_id),
        event_id=delivery.event_id,
        tenant=delivery.tenant,
        user=delivery.user,
        type=delivery.type,
        category=delivery.category,
        channel=delivery.channel,
        priority=delivery.priority,
        occurred_at=delivery.occurred_at,
        accepted_at=delivery.accepted_at,
        catalogue=delivery.catalogue,
    )


def read_ticket(text: str, key: bytes) -> Ticket | None:
    """The ticket, or None for what was not issued with this key; an empty key issues nothing."""
    if not key:
        return None  # everybody can sign with it
    try:
        signed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        body = signed[SIGNATURE:]
        if not hmac.compare_digest(signed[:SIGNATURE], _signature(body, key)):
            return None
        return msgspec.msgpack.decode(body, type=Ticket)
    except (ValueError, msgspec.MsgspecError):
        return None


def _signature(body: bytes, key: bytes) -> bytes:
    # Named, so that no other thing signed with the key can be passed off as a ticket.
    return hmac.digest(key, b"ticket:" + body, sha256)[:SIGNATURE]
