"""Postmark's webhooks: one record each, unsigned, so with a user and a password in their URL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from pipeline.settings import Settings
from policy.time.timestamps import epoch_ms
from policy.tracking.bot_detection import is_machine_told
from policy.tracking.provider_report import Kind, Report
from schemas.vocabulary import Channel
from web.reports.basic import BasicPair
from web.reports.incoming import Incoming, joined

HARD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated"})


class Record(Struct, frozen=True, rename="pascal"):
    """One record; which of the times it has depends on its type, and null is as absent."""

    record_type: str
    recipient: str | None = None
    email: str | None = None
    metadata: dict[str, Any] | None = None
    type: str | None = None
    description: str | None = None
    user_agent: str | None = None
    suppress_sending: bool | None = None
    suppression_reason: str | None = None
    origin: str | None = None
    delivered_at: datetime | None = None
    bounced_at: datetime | None = None
    received_at: datetime | None = None
    changed_at: datetime | None = None


class PostmarkReports:
    """What Postmark reports on mail."""

    name = "postmark"
    channel = Channel.EMAIL

    def __init__(self, settings: Settings) -> None:
        self._pair = BasicPair(settings.postmark_webhook_user, settings.postmark_webhook_password)
        self.is_set_up = self._pair.is_set

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check user and password, which is all that Postmark has; raises BadSignature."""
        self._pair.check(incoming)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """The record, if it is of a kind that we know."""
        record = incoming.json(Record)
        kind = _kind_of(record)
        if kind is None:
            return []
        times = (record.delivered_at, record.bounced_at, record.received_at, record.changed_at)
        at = next((epoch_ms(time) for time in times if time is not None and time.tzinfo), now)
        agent = record.user_agent
        return [
            Report(
                kind=kind,
                at=at,
                ticket=joined(record.metadata or {}),
                address=record.recipient or record.email or "",
                detail=record.description or "",
                hard=record.type in HARD,
                machine=is_machine_told(agent),
            )
        ]


def _kind_of(record: Record) -> Kind | None:
    match record.record_type:
        case "SubscriptionChange":
            return Kind.UNSUBSCRIBED if _is_opt_out(record) else None
        case "Delivery":
            return Kind.DELIVERED
        case "Bounce":
            return Kind.BOUNCED
        case "SpamComplaint":
            return Kind.COMPLAINED
        case "Open":
            return Kind.OPENED
        case "Click":
            return Kind.CLICKED
    return None


def _is_opt_out(record: Record) -> bool:
    """Whether the recipient left by hand.

    Bounces and complaints come as records of their own, and what an operator does with Postmark's
    list is nobody's wish: to take an address off it undoes no opt-out.
    """
    by_hand = record.suppression_reason == "ManualSuppression" and record.origin == "Recipient"
    return by_hand and record.suppress_sending is True
