"""Mailgun's webhooks: one event each, with a signature in the body."""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from msgspec import Struct, field

from pipeline.expiring import Expiring
from pipeline.secret_file import Derived
from pipeline.settings import Settings
from policy.tracking.bot_detection import is_machine_told
from policy.tracking.provider_report import Kind, Report
from schemas.vocabulary import Channel
from web.reports.incoming import BadSignature, Incoming, at_of, joined, require_recent

KINDS = {
    "delivered": Kind.DELIVERED,
    "failed": Kind.BOUNCED,
    "rejected": Kind.FAILED,
    "opened": Kind.OPENED,
    "clicked": Kind.CLICKED,
    "complained": Kind.COMPLAINED,
    "unsubscribed": Kind.UNSUBSCRIBED,
}
SUPPRESSED = "suppress-"
"""How reasons begin where a mail was not tried: suppress-bounce, -unsubscribe, -complaint."""


class Signature(Struct, frozen=True):
    """What is signed: a time and a token that is never used twice."""

    timestamp: str
    token: str
    signature: str


class Client(Struct, frozen=True):
    """What fetched a pixel or a link."""

    bot: str | None = None
    user_agent: str | None = field(name="user-agent", default=None)


class Status(Struct, frozen=True):
    """What the other server said."""

    message: str | None = None
    description: str | None = None


class Event(Struct, frozen=True):
    """One event; what it has nothing to say of is absent, or null."""

    event: str
    timestamp: float | None = None
    recipient: str | None = None
    severity: str | None = None
    reason: str | None = None
    variables: dict[str, Any] | None = field(name="user-variables", default=None)
    client: Client | None = field(name="client-info", default=None)
    status: Status | None = field(name="delivery-status", default=None)


class Body(Struct, frozen=True):
    """A webhook's body."""

    signature: Signature
    event: Event = field(name="event-data")


class MailgunReports:
    """What Mailgun reports on mail."""

    name = "mailgun"
    channel = Channel.EMAIL

    def __init__(self, settings: Settings) -> None:
        self._key = Derived(settings, "mailgun_signing_key", str.encode)
        self._window = settings.report_window
        self._used = Expiring[bool]()

    @property
    def is_set_up(self) -> bool:
        """Whether the signing key is known."""
        return self._key.is_set

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check time, token and their signature; raises BadSignature or Malformed.

        A token counts once, as far as this process knows; what it tells twice changes nothing.
        """
        signed = incoming.json(Body).signature
        text = f"{signed.timestamp}{signed.token}".encode()
        expected = hmac.new(self._key.get(), text, sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signed.signature.encode()):
            raise BadSignature("invalid signature")
        if not signed.timestamp.isdecimal():
            raise BadSignature("it has no time")
        require_recent(signed.timestamp, now, self._window)
        if self._used.get(signed.token, now):
            raise BadSignature("its token was used before")
        # What is signed ahead by the whole window counts for two of them, to the last millisecond.
        self._used.put(signed.token, True, ends=now + 2000 * self._window + 1, now=now)

    def release(self, incoming: Incoming) -> None:
        """Let the token count again."""
        self._used.drop(incoming.json(Body).signature.token)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """The event, if it is of a kind that we know."""
        event = incoming.json(Body).event
        kind = KINDS.get(event.event)
        if kind is None:
            return []
        # Mailgun's own list has the address, so no server was asked.
        is_suppressed = (event.reason or "").startswith(SUPPRESSED)
        status, client = event.status or Status(), event.client or Client()
        return [
            Report(
                kind=Kind.FAILED if is_suppressed else kind,
                at=at_of(event.timestamp, now),
                ticket=joined(event.variables or {}),
                address=event.recipient or "",
                detail=status.description or status.message or "",
                hard=event.severity == "permanent" and not is_suppressed,
                machine=is_machine_told(client.user_agent, client.bot or False),
            )
        ]
