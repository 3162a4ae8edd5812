"""Bounce tokens: what a mail bears in the address that bounces go to, and where its ticket is kept.

A bounce need not bring back anything of the mail but that address (VERP), whose first part has 64
characters (RFC 5321, 4.5.3.1.1) in which case may be lost: too few for a ticket. So a sink keeps
the ticket, and the token says where. It is signed, as anybody may write to that address.
"""

import hmac
from base64 import b32decode, b32encode
from hashlib import sha256

from policy.tracking.reference import Reference, day_of
from schemas.delivery import Delivery

BOUNCE = "bounce+"
"""What stands before the token."""
TICKET = "X-Tocsin-Ticket"
"""The header with the ticket, for bounces that bring back headers, as most do."""
LENGTH = 53
"""Characters of a token."""
_SIGNATURE = 12  # bytes
_PARTITION, _DAY = 2, 3  # bytes


def token_of(delivery: Delivery, partition: int, key: bytes) -> str:
    """The token of a delivery that is sent from this partition, of small letters and digits."""
    body = (
        bytes.fromhex(delivery.delivery_id)
        + partition.to_bytes(_PARTITION, "big")
        + day_of(delivery).to_bytes(_DAY, "big")
    )
    return b32encode(_signature(body, key) + body).decode().rstrip("=").lower()


def read_token(text: str, key: bytes) -> Reference | None:
    """What a token says, in whichever case; None for what was not issued with this key.

    An empty key issues nothing.
    """
    if not key or len(text) != LENGTH or not text.isascii():
        return None
    try:
        signed = b32decode(text.upper() + "=" * (-LENGTH % 8))
    except ValueError:
        return None
    body = signed[_SIGNATURE:]
    if not hmac.compare_digest(signed[:_SIGNATURE], _signature(body, key)):
        return None
    partition, day = body[-_DAY - _PARTITION : -_DAY], body[-_DAY:]
    return Reference(
        body[: -_DAY - _PARTITION].hex(),
        int.from_bytes(partition, "big"),
        int.from_bytes(day, "big"),
    )


def _signature(body: bytes, key: bytes) -> bytes:
    # The kind is named, so that no other thing signed with the key can be passed off as it.
    return hmac.digest(key, b"bounce:" + body, sha256)[:_SIGNATURE]
