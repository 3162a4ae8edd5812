"""Tickets: what a message carries so that a report, open or click can be attributed to it.

Providers hand it back with receipts, and the links in a message bear it. It is signed, since links
can be typed by anybody, and it is no secret: it can be read by whoever holds it, as mail servers,
proxies and logs do. So each is good for one thing alone, and not for ever.

Names may be longer than there is room for with a message. Then a *stub* travels, which says where
the ticket is kept: in the decider's partition of the user.
"""

import hmac
from base64 import urlsafe_b64decode
from binascii import b2a_base64
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from policy.identity import user_digest
from schemas.delivery import Delivery
from schemas.trace import TraceContext, parse
from schemas.vocabulary import Channel, Priority

if TYPE_CHECKING:
    from hashlib import _Hash

LIFE_MS = 2 * 366 * 86_400_000
"""How long after its event was accepted a ticket counts. A message may leave a year after that, and
people must be able to say no to it for 30 days (15 U.S.C. 7704(a)(3)(A)(ii), CAN-SPAM) or 60
(Canada's Anti-Spam Legislation, 11(2)) from then on; here it is a year at least."""
PREFERENCES_LIFE_MS = 60 * 86_400_000
"""The same of a link to the preferences, where more is shown and changed than one category."""
SIGNATURE = 16  # bytes: a forger would need 2^64 tries on average, each a request to us
MOST_TEXT = 640
"""Characters of a ticket as it travels. Postmark takes 10 fields of 80 with a mail, of which two
are ids; SES 870 in a header, where the URL of a link is around it."""
Issued = TypeVar("Issued")
_SURELY_FIT = 280
"""Bytes of names: all else of a ticket has no more than 180."""
_SPAN = 24  # bytes
_MOST_BODY = MOST_TEXT * 3 // 4 - SIGNATURE


class Purpose(StrEnum):
    """What a ticket is good for; that of one place says nothing in another."""

    ANY = ""
    """All of these, as tickets did that were issued before 0.2.0."""
    REPORT = "report"  # with a provider, for what it reports
    OPEN = "open"  # in the pixel
    CLICK = "click"  # in links that lead by us
    UNSUBSCRIBE = "leave"
    PREFERENCES = "prefs"  # in the link to what the person wants to hear


_LONGEST = max(Purpose, key=len)
_WORDS = {purpose: msgspec.msgpack.encode(purpose) for purpose in Purpose}
"""As each stands at the end of a ticket."""
_TO_URLSAFE = bytes.maketrans(b"+/", b"-_")
_BLOCK = 64  # bytes that SHA-256 works on at a time


class Ticket(Struct, frozen=True, array_like=True):
    """A delivery, as far as a delivery event needs it; ids are their 16 bytes.

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
    purpose: Purpose = Purpose.ANY
    span: bytes = b""
    """Of a delivery that is traced, its decision: its trace's id (16 bytes) and its own (8)."""

    @property
    def context(self) -> TraceContext | None:
        """The span of its decision, where it is traced."""
        if len(self.span) != _SPAN:
            return None
        return TraceContext(self.span[:16].hex(), self.span[16:].hex())


class Common(NamedTuple):
    """What all tickets of a delivery have in common, before and after their purpose."""

    before: bytes
    after: bytes


class Stub(Struct, frozen=True, array_like=True):
    """Where a ticket is kept that is too long to travel: in which partition, and under what."""

    partition: int
    owner: bytes
    expires_at: int
    delivery_id: bytes


def issue_ticket(delivery: Delivery, purpose: Purpose, key: bytes) -> str:
    """The delivery's ticket, of letters, digits, `-` and `_`; the same for the same purpose."""
    return sign_ticket(unsigned(delivery), purpose, key)


def unsigned(delivery: Delivery) -> Common:
    """What all tickets of a delivery have in common, to be signed for each of its purposes."""
    ticket = ticket_of(delivery)
    after = msgspec.msgpack.encode(ticket.span)
    whole = msgspec.msgpack.encode(ticket)
    return Common(whole[: -len(_WORDS[Purpose.ANY] + after)], after)


def sign_ticket(common: Common, purpose: Purpose, key: bytes) -> str:
    """The ticket for this purpose, of what `unsigned` returned; see `issue_ticket`."""
    return _signed(b"ticket:", common.before + _WORDS[purpose] + common.after, key)


def is_too_long(delivery: Delivery) -> bool:
    """Whether there is no room for its tickets with every message, so that its stubs travel."""
    names = delivery.event_id + delivery.tenant + delivery.user
    names += delivery.type + delivery.category + delivery.catalogue
    if len(names) <= _SURELY_FIT and names.isascii():
        return False  # nearly all, at a tenth of the cost
    return len(msgspec.msgpack.encode(ticket_of(delivery, _LONGEST))) > _MOST_BODY


def issue_stub(delivery: Delivery, partition: int, purpose: Purpose, key: bytes) -> str:
    """The stub of the delivery's ticket, which its user's partition keeps; written as a ticket."""
    body = msgspec.msgpack.encode(stub_of(delivery, partition))
    return _signed(_stub_for(purpose), body, key)


def stub_of(delivery: Delivery, partition: int) -> Stub:
    """The stub of the delivery's ticket, not yet signed."""
    owner = user_digest(delivery.tenant, delivery.user)
    return Stub(partition, owner, delivery.expires_at, bytes.fromhex(delivery.delivery_id))


def ticket_of(delivery: Delivery, purpose: Purpose = Purpose.ANY) -> Ticket:
    """The delivery's ticket, not yet signed; that of no purpose stays with us."""
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
        purpose=purpose,
        span=_span_of(delivery.trace) if delivery.trace else b"",
    )


def _span_of(trace: str) -> bytes:
    context, _ = parse(trace)
    return b"" if context is None else bytes.fromhex(context.trace_id + context.span_id)


def read_ticket(text: str, purpose: Purpose, key: bytes) -> Ticket | None:
    """The ticket, or None for what was not issued for this with this key.

    An empty key issues nothing. Whether its time is up is another question, see `is_over`.
    """
    ticket = _read(b"ticket:", text, key, Ticket)
    # Nothing that was issued for all purposes was meant for this one.
    good_for = (purpose,) if purpose is Purpose.PREFERENCES else (purpose, Purpose.ANY)
    return None if ticket is None or ticket.purpose not in good_for else ticket


def read_stub(text: str, purpose: Purpose, key: bytes) -> Stub | None:
    """The stub, or None for what was not issued as one for this with this key."""
    return _read(_stub_for(purpose), text, key, Stub)


def is_over(ticket: Ticket, at: int, life: int = LIFE_MS) -> bool:
    """Whether what happens at `at` (epoch ms) comes too late for the ticket."""
    return at >= ticket.accepted_at + life


def _stub_for(purpose: Purpose) -> bytes:
    return f"stub:{purpose}:".encode()


def _signed(kind: bytes, body: bytes, key: bytes) -> str:
    text = b2a_base64(_signature(kind, body, key) + body, newline=False)
    return text.translate(_TO_URLSAFE, b"=").decode()


def _read(kind: bytes, text: str, key: bytes, struct: type[Issued]) -> Issued | None:
    if not key:
        return None  # everybody can sign with it
    try:
        signed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        body = signed[SIGNATURE:]
        if not hmac.compare_digest(signed[:SIGNATURE], _signature(kind, body, key)):
            return None
        return msgspec.msgpack.decode(body, type=struct)
    except (ValueError, msgspec.MsgspecError):
        return None


def _signature(kind: bytes, body: bytes, key: bytes) -> bytes:
    # The kind is named, so that no other thing signed with the key can be passed off as it.
    begun_inner, begun_outer = _begun(key)
    inner, outer = begun_inner.copy(), begun_outer.copy()
    inner.update(kind + body)
    outer.update(inner.digest())
    return outer.digest()[:SIGNATURE]


@lru_cache(maxsize=8)
def _begun(key: bytes) -> tuple["_Hash", "_Hash"]:
    """HMAC-SHA256's two sums (RFC 2104) once they have read the key.

    The library reads it anew for each signature, of which a mail has two: half of what they take.
    """
    block = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return sha256(bytes(b ^ 0x36 for b in block)), sha256(bytes(b ^ 0x5C for b in block))
