"""E-mail by SMTP, through any relay: one mail a transaction, many transactions a connection."""

import re
from datetime import UTC, datetime
from email.utils import format_datetime

import idna

from pipeline.clock import Clock, SystemClock
from pipeline.producing.outputs import partition_of
from pipeline.settings import Settings
from policy.contact.address import BARE
from policy.tracking.bounce_token import BOUNCE, TICKET, token_of
from schemas.delivery import Delivery
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel, Reason
from sinks.email.mime import mail_of, words_of
from sinks.email.return_path import ReturnPath
from sinks.email.senders import Senders, as_own
from sinks.email.smtp_relay import Envelope, Relay
from sinks.http.client import HttpClient
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from sinks.single_message import SingleMessageProvider

SYSTEM_CLOCK = SystemClock()
IDS = "X-Tocsin-Delivery"
_REFERENCE = re.compile(
    r"\bqueued as ([\w.-]+)|\bid=([\w.-]+)|^Ok ([\w-]{20,})$|\[InternalId=(\d+)", re.ASCII
)
"""How Postfix, Exim, Amazon and Exchange name a mail that they took."""
_NOT_IN_PATHS = re.compile(r"[\x00-\x20<>\x7f]")


class Smtp(SingleMessageProvider):
    """Sends mail through one relay from one sender.

    Where a domain for bounces is set, each mail has an address of its own there (VERP), and its
    ticket stays with the sink.
    """

    name = "smtp"
    channel = Channel.EMAIL
    scheme = BARE

    def __init__(self, settings: Settings, _: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._relay = Relay(settings)
        self._senders = Senders(settings)
        # Of the envelope, whoever the mail is from: bounces go there.
        self._sender = _path_if_any(self._senders.default.address)
        self._domain = self._sender.rpartition("@")[2]
        self._bounces = settings.smtp_bounce_domain
        self._key = settings.signing_key.get_secret_value().encode()
        self._partitions = settings.partitions
        self._way_back = ReturnPath(settings)
        self._clock = clock
        self.calls_per_server = settings.smtp_connections
        self.keeps_tickets = bool(self._bounces)

    def server_of(self, delivery: Delivery) -> str:
        """The relay, which has no more calls at once than connections; the urgent ones go first."""
        return self.name

    async def check(self) -> None:
        """Raise Misconfigured for a relay or a sender that can't be used; makes no call."""
        self._relay.check()
        if not self._sender:
            raise Misconfigured("TOCSIN_EMAIL_FROM is not an e-mail address.")
        if self._bounces and _path_if_any(f"x@{self._bounces}") != f"x@{self._bounces}":
            raise Misconfigured("TOCSIN_SMTP_BOUNCE_DOMAIN is no domain in ASCII.")
        if self._bounces and not self._key:
            raise Misconfigured("TOCSIN_SMTP_BOUNCE_DOMAIN needs TOCSIN_SIGNING_KEY.")

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The transaction for one delivery; see Provider.send."""
        try:
            envelope = self.envelope_of(delivery)
        except ValueError:
            return PermanentFailure(
                Reason.INVALID_ADDRESS, "it is no address that SMTP has room for"
            )
        taken = await self._relay.send(envelope, self.mail_of(delivery, envelope.recipient))
        if isinstance(taken, TransientFailure | PermanentFailure):
            return as_own(taken, delivery)
        found = _REFERENCE.search(taken.message)
        named = next(filter(None, found.groups()), "") if found else ""
        return Sent(named or self.name_of(delivery))

    async def log_in(self) -> TransientFailure | PermanentFailure | None:
        """Connect to the relay and log in; why that can't be, None where it can."""
        return await self._relay.log_in()

    async def close(self) -> None:
        """Close the connections, which are this provider's own."""
        await self._relay.close()

    def name_of(self, delivery: Delivery) -> str:
        """The Message-ID, the same however often it is sent, so that a copy can be told as one."""
        return f"<{delivery.delivery_id}@{self._domain}>"

    def envelope_of(self, delivery: Delivery) -> Envelope:
        """Who it is from and to, as the relay is told; raises ValueError for what is no address."""
        recipient = path_of(delivery.address)
        if not self._bounces:
            return Envelope(self._sender, recipient)
        partition = partition_of(delivery.user, self._partitions)
        token = token_of(delivery, partition, self._key)
        return Envelope(f"{BOUNCE}{token}@{self._bounces}", recipient, token)

    def mail_of(self, delivery: Delivery, recipient: str) -> bytes:
        """The mail for a delivery."""
        content, marks = delivery.content, self._way_back.marks(delivery)
        sender = self._senders.of(delivery)
        headers = {
            "From": sender.header,
            "To": recipient,
            "Subject": words_of("Subject", content.title),
            "Date": _date(self._clock.now()),
            "Message-ID": self.name_of(delivery),
            # Nobody's absence is to be told to it (RFC 3834).
            "Auto-Submitted": "auto-generated",
            **self._way_back.headers(delivery),
            IDS: f"{delivery.notification_id}.{delivery.delivery_id}",
        }
        if sender.reply_to:
            headers["Reply-To"] = sender.reply_to
        if "ticket" in marks:
            headers[TICKET] = marks["ticket"]
        boundary = f"=_{delivery.delivery_id}"
        return mail_of(headers.items(), content.body, content.html, boundary)


def path_of(address: str) -> str:
    """The address with its domain in ASCII; raises ValueError for what is none.

    A blank or a bracket in it would end the command that names it, or a line of the mail.
    """
    local, _, domain = address.rpartition("@")
    if not local or not domain or _NOT_IN_PATHS.search(address):
        raise ValueError("no address")
    if not domain.isascii():
        # Its error is a ValueError too.
        domain = idna.encode(domain, uts46=True).decode()
    return f"{local}@{domain}"


def _path_if_any(address: str) -> str:
    try:
        return path_of(address)
    except ValueError:
        return ""


def _date(now: int) -> str:
    return format_datetime(datetime.fromtimestamp(now / 1000, UTC))
