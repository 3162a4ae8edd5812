"""Resend's webhooks, signed by Svix as Standard Webhooks are, under header names of its own."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from standardwebhooks import Webhook

from pipeline.secret_file import Derived
from pipeline.settings import Settings
from policy.time.timestamps import epoch_ms
from policy.tracking.bot_detection import is_machine_told
from policy.tracking.provider_report import Kind, Report
from schemas.vocabulary import Channel
from web.reports.incoming import BadSignature, Incoming, Malformed, first, joined, require_recent

KINDS = {
    "email.delivered": Kind.DELIVERED,
    "email.bounced": Kind.BOUNCED,
    "email.failed": Kind.FAILED,
    "email.suppressed": Kind.FAILED,
    "email.complained": Kind.COMPLAINED,
    "email.opened": Kind.OPENED,
    "email.clicked": Kind.CLICKED,
}


class Happening(Struct, frozen=True, rename="camel"):
    """What happened, as each kind of event has it under its own name."""

    type: str | None = None
    sub_type: str | None = None
    message: str | None = None
    reason: str | None = None
    user_agent: str | None = None


NOTHING = Happening()


class Data(Struct, frozen=True):
    """The mail that it happened to; tags are a list or a table."""

    to: tuple[str, ...] = ()
    tags: list[dict[str, Any]] | dict[str, Any] | None = None
    bounce: Happening | None = None
    failed: Happening | None = None
    suppressed: Happening | None = None
    open: Happening | None = None
    click: Happening | None = None


class Event(Struct, frozen=True):
    """One event."""

    type: str
    created_at: datetime | None = None
    data: Data = Data()


class ResendReports:
    """What Resend reports on mail."""

    name = "resend"
    channel = Channel.EMAIL

    def __init__(self, settings: Settings) -> None:
        self._window = settings.report_window
        self._webhook = Derived(
            settings, "resend_webhook_secret", lambda secret: Webhook(secret) if secret else None
        )

    @property
    def is_set_up(self) -> bool:
        """Whether the signing secret is known."""
        return self._webhook.is_set

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check the time and the signatures; raises BadSignature or Malformed."""
        name, time, given = (
            first(incoming.headers, f"svix-{part}") for part in ("id", "timestamp", "signature")
        )
        webhook = self._webhook.get()
        if webhook is None or not (name and given and time.isascii() and time.isdecimal()):
            raise BadSignature("not signed")
        try:
            moment = datetime.fromtimestamp(int(time), UTC)
            expected = webhook.sign(name, moment, incoming.body.decode()).encode()
        except (ValueError, OverflowError) as error:
            raise Malformed(type(error).__name__) from None
        signatures = given.encode(errors="replace").split(b" ")
        if not any(hmac.compare_digest(expected, each) for each in signatures):
            raise BadSignature("invalid signature")
        require_recent(time, now, self._window)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """The event, if it is of a kind that we know."""
        event = incoming.json(Event)
        kind = KINDS.get(event.type)
        if kind is None:
            return []
        data, created_at = event.data, event.created_at
        about = data.bounce or data.failed or data.suppressed or data.open or data.click or NOTHING
        tags = data.tags or {}
        if isinstance(tags, list):
            tags = {str(tag.get("name")): tag.get("value") for tag in tags}
        return [
            Report(
                kind=kind,
                at=epoch_ms(created_at) if created_at and created_at.tzinfo else now,
                ticket=joined(tags),
                address=data.to[0] if data.to else "",
                detail=about.message or about.reason or "",
                hard=kind is Kind.BOUNCED and about.type == "Permanent",
                machine=is_machine_told(about.user_agent),
            )
        ]
