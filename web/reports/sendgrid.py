"""SendGrid's event webhook: batches of events, signed by ECDSA."""

import logging
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct
from sendgrid.helpers.eventwebhook import EventWebhook

from pipeline.monitoring.metrics import UNREADABLE_EVENTS
from pipeline.settings import Settings
from policy.tracking.bot_detection import is_machine_told
from policy.tracking.provider_report import Kind, Report
from schemas.encoding import UNDECODABLE
from schemas.foreign import read_foreign
from schemas.vocabulary import Channel
from web.reports.incoming import BadSignature, Incoming, Malformed, at_of, first, require_recent

log = logging.getLogger(__name__)

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
KINDS = {
    "delivered": Kind.DELIVERED,
    "bounce": Kind.BOUNCED,
    "dropped": Kind.FAILED,
    "open": Kind.OPENED,
    "click": Kind.CLICKED,
    "spamreport": Kind.COMPLAINED,
    "unsubscribe": Kind.UNSUBSCRIBED,
    "group_unsubscribe": Kind.UNSUBSCRIBED,
    "group_resubscribe": Kind.RESUBSCRIBED,
}


class Event(Struct, frozen=True):
    """One event; our custom arguments stand beside its own fields."""

    event: str
    timestamp: float | None = None
    email: str = ""
    ticket: str = ""
    reason: str = ""
    type: str = ""
    useragent: str | None = None
    sg_machine_open: bool = False


class SendGridReports:
    """What SendGrid reports on mail."""

    name = "sendgrid"
    channel = Channel.EMAIL

    def __init__(self, settings: Settings) -> None:
        self._key = settings.sendgrid_webhook_key
        self._window = settings.report_window

    @property
    def is_set_up(self) -> bool:
        """Whether the verification key is known."""
        return bool(self._key)

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check the signature over time and raw body; raises BadSignature or Malformed."""
        signature = first(incoming.headers, SIGNATURE)
        timestamp = first(incoming.headers, TIMESTAMP)
        if not (signature and timestamp.isdecimal()):
            raise BadSignature("not signed")
        try:
            text = incoming.body.decode()
            is_ours = EventWebhook(self._key).verify_signature(text, signature, timestamp)
        except ValueError as error:
            raise Malformed(type(error).__name__) from None
        if not is_ours:
            raise BadSignature("invalid signature")
        require_recent(timestamp, now, self._window)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """The events of kinds that we know; a soft bounce is one that was blocked."""
        return [
            Report(
                kind=KINDS[event.event],
                at=at_of(event.timestamp, now),
                ticket=event.ticket,
                address=event.email,
                detail=event.reason,
                hard=event.type != "blocked",
                machine=is_machine_told(event.useragent, event.sg_machine_open),
            )
            for event in self._events(incoming)
            if event.event in KINDS
        ]

    def _events(self, incoming: Incoming) -> Iterator[Event]:
        """Those that can be read: a batch has all of an account's, also of other senders' mail."""
        for each in incoming.json(list[msgspec.Raw]):
            try:
                yield read_foreign(bytes(each), Event)
            except UNDECODABLE as error:
                UNREADABLE_EVENTS.labels(self.name).inc()
                log.warning(
                    "An event in a batch of %s's can't be read and is skipped: %s. The others of "
                    "the batch are stored.",
                    self.name,
                    type(error).__name__,
                )
