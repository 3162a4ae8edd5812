"""Amazon SES's events, which come through an SNS topic that signs them."""

import base64
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from msgspec import Struct, field

from pipeline.settings import Settings
from policy.time.timestamps import epoch_ms
from policy.tracking.bot_detection import is_machine_told
from policy.tracking.provider_report import Kind, Report
from schemas.errors import Unavailable
from schemas.vocabulary import Channel
from web.reports.incoming import BadSignature, Incoming, Malformed, joined

Fetch = Callable[[str], Awaitable[bytes]]
AMAZON = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
TIMEOUT = aiohttp.ClientTimeout(total=5)
MOST_BYTES = 64 << 10
CONFIRMATION = "SubscriptionConfirmation"
SIGNED = (
    "Message",
    "MessageId",
    "Subject",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
"""Fields of which the signature is made, where they are there, in this order."""
NOT_SIGNED = {"Notification": ("SubscribeURL", "Token"), CONFIRMATION: ("Subject",)}
NOT_SPAM = "not-spam"
OPTED_OUT = "OptOut"
HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303

log = logging.getLogger(__name__)


class Recipient(Struct, frozen=True, rename="camel"):
    """One of the recipients that an event is about."""

    email_address: str = ""
    diagnostic_code: str = ""


class TopicStatus(Struct, frozen=True, rename="camel"):
    """Whether a recipient gets what is sent about a topic of a contact list of Amazon's."""

    topic_name: str = ""
    subscription_status: str = ""


class TopicPreferences(Struct, frozen=True, rename="camel"):
    """What a recipient wants of a contact list."""

    unsubscribe_all: bool | None = None
    topic_subscription_status: tuple[TopicStatus, ...] | None = None

    def left(self) -> set[str]:
        """The topics of which the recipient wants nothing."""
        topics = self.topic_subscription_status or ()
        return {topic.topic_name for topic in topics if topic.subscription_status == OPTED_OUT}


class Happening(Struct, frozen=True, rename="camel"):
    """What happened, as each kind of event has it under its own name."""

    timestamp: datetime | None = None
    bounce_type: str = ""
    bounced_recipients: tuple[Recipient, ...] = ()
    complained_recipients: tuple[Recipient, ...] = ()
    complaint_feedback_type: str | None = None
    user_agent: str | None = None
    reason: str = ""
    new_topic_preferences: TopicPreferences | None = None
    old_topic_preferences: TopicPreferences | None = None

    def is_about_nothing(self) -> bool:
        """Whether nobody complained or left: the mail was taken out of the spam folder, or the
        recipient changed what they want of a contact list and left nothing."""
        if self.complaint_feedback_type == NOT_SPAM:
            return True
        new, old = self.new_topic_preferences, self.old_topic_preferences or TopicPreferences()
        return new is not None and not (new.unsubscribe_all or new.left() - old.left())


class Mail(Struct, frozen=True):
    """The mail that it happened to."""

    destination: tuple[str, ...] = ()
    tags: dict[str, Any] = {}


class Event(Struct, frozen=True, rename="camel"):
    """One event of a configuration set."""

    event_type: str = ""
    mail: Mail = Mail()
    delivery: Happening = Happening()
    bounce: Happening = Happening()
    complaint: Happening = Happening()
    open: Happening = Happening()
    click: Happening = Happening()
    reject: Happening = Happening()
    subscription: Happening = Happening()


class Envelope(Struct, frozen=True, rename="pascal"):
    """What SNS wraps around it."""

    type: str
    message: str
    topic_arn: str
    signature: str
    signature_version: str = "1"
    cert_url: str = field(name="SigningCertURL", default="")
    subscribe_url: str = field(name="SubscribeURL", default="")


KINDS = {
    "Delivery": Kind.DELIVERED,
    "Bounce": Kind.BOUNCED,
    "Complaint": Kind.COMPLAINED,
    "Open": Kind.OPENED,
    "Click": Kind.CLICKED,
    "Reject": Kind.FAILED,
    "Subscription": Kind.UNSUBSCRIBED,
}


async def fetch(url: str) -> bytes:
    """What stands at an address of Amazon's; raises Unavailable."""
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            response.raise_for_status()
            body = bytearray()
            # One read gives what has come so far, which may be less.
            async for piece in response.content.iter_any():
                body += piece
                if len(body) >= MOST_BYTES:
                    break
            return bytes(body[:MOST_BYTES])
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unavailable(f"Amazon SNS does not answer ({type(error).__name__}).") from None


class SesReports:
    """What Amazon SES reports on mail, through the SNS topics in the settings.

    SNS tries again for hours with the time of the first try, so its messages have no window:
    what is told again changes nothing.
    """

    name = "ses"
    channel = Channel.EMAIL

    def __init__(self, settings: Settings, fetch: Fetch = fetch) -> None:
        self._topics = frozenset(settings.ses_topics)
        self._fetch = fetch
        self._keys: dict[str, rsa.RSAPublicKey] = {}

    @property
    def is_set_up(self) -> bool:
        """Whether we know which topics are ours."""
        return bool(self._topics)

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check topic and signature, and confirm a subscription to one of our topics."""
        envelope, values = incoming.json(Envelope), incoming.json(dict[str, Any])
        if envelope.topic_arn not in self._topics:
            raise BadSignature("the topic is none of ours")
        algorithm = HASHES.get(envelope.signature_version)
        if algorithm is None:
            raise Malformed("an unknown signature version")
        key = await self._key_at(envelope.cert_url)
        try:
            signature = base64.b64decode(envelope.signature, validate=True)
            key.verify(signature, text_of(values), padding.PKCS1v15(), algorithm)
        except InvalidSignature:
            raise BadSignature("invalid signature") from None
        except ValueError as error:
            raise Malformed(type(error).__name__) from None
        if envelope.type == CONFIRMATION:
            _require_amazon(envelope.subscribe_url)
            await self._fetch(envelope.subscribe_url)
            log.warning("Confirmed the subscription to %s.", envelope.topic_arn)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """The event, once for each recipient that it is about."""
        envelope = incoming.json(Envelope)
        if envelope.type != "Notification":
            return []
        if not envelope.message.lstrip().startswith("{"):
            return []  # words by which SES tries a topic that is being set up
        inner = Incoming(method="POST", url="", headers={}, body=envelope.message.encode())
        event = inner.json(Event)
        kind = KINDS.get(event.event_type)
        if kind is None:
            return []
        happening: Happening = getattr(event, event.event_type.lower())
        if happening.is_about_nothing():
            return []
        about = happening.bounced_recipients or happening.complained_recipients
        recipients = about or tuple(Recipient(address) for address in event.mail.destination)
        timestamp, agent = happening.timestamp, happening.user_agent
        return [
            Report(
                kind=kind,
                at=now if timestamp is None or not timestamp.tzinfo else epoch_ms(timestamp),
                ticket=joined(event.mail.tags),
                address=recipient.email_address,
                detail=recipient.diagnostic_code or happening.reason,
                hard=happening.bounce_type == "Permanent",
                machine=is_machine_told(agent),
            )
            for recipient in recipients or (Recipient(),)
        ]

    async def _key_at(self, url: str) -> rsa.RSAPublicKey:
        _require_amazon(url)
        # Each other query or fragment would be one more address of the same to fetch and to keep.
        if not url.endswith(".pem") or "?" in url or "#" in url:
            raise BadSignature("the certificate is none")
        if url not in self._keys:
            try:
                key = x509.load_pem_x509_certificate(await self._fetch(url)).public_key()
            except ValueError:
                raise Unavailable("Amazon SNS's certificate can't be read.") from None
            if not isinstance(key, rsa.RSAPublicKey):
                raise BadSignature("the certificate's key is none")
            self._keys[url] = key
        return self._keys[url]


def text_of(values: dict[str, Any]) -> bytes:
    """What SNS signs of a message: names and values, a line each."""
    leave = NOT_SIGNED.get(str(values.get("Type")), ())
    lines = [
        line
        for name in SIGNED
        if values.get(name) is not None and name not in leave
        for line in (name, str(values[name]))
    ]
    return ("\n".join(lines) + "\n").encode()


def _require_amazon(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.netloc != parts.hostname:
        raise BadSignature("the address is none of Amazon's")
    if not AMAZON.fullmatch(parts.netloc):
        raise BadSignature("the address is none of Amazon's")
