"""Twilio's status callbacks and incoming messages, signed over the exact URL."""

from collections.abc import Sequence

from multidict import MultiDict
from twilio.request_validator import RequestValidator

from pipeline.secret_file import Derived
from pipeline.settings import Settings
from policy.tracking.provider_report import Report
from schemas.vocabulary import Channel
from web.reports.incoming import BadSignature, Incoming, first
from web.reports.texts import answer_report, status_report

GONE = frozenset({"30005", "30006", "63003"})
"""An unknown handset, a landline, and a number that is not on WhatsApp."""
MESSAGES_FAULT = frozenset(
    {"63005", "63013", "63016", "63021", "63027", "63028", "63030", "63040", "63041", "63042"}
)
"""Words or a template that WhatsApp does not take, or not outside of 24 hours (63016): whoever was
to read it did not bounce."""


class TwilioReports:
    """What Twilio reports on texts; it signs no time, so a report counts whenever it comes."""

    name = "twilio"
    channel = Channel.SMS

    def __init__(self, settings: Settings) -> None:
        self._validator = Derived(settings, "twilio_auth_token", RequestValidator)
        self.is_set_up = self._validator.is_set

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check the signature over URL and fields; raises BadSignature or Malformed."""
        signature = first(incoming.headers, "X-Twilio-Signature")
        # Of a callback by GET all fields are in the URL, which is signed as it is.
        signed = incoming.fields() if incoming.method == "POST" else {}
        # Its validator looks for all values of a field, and no list can be one of them.
        fields = MultiDict((n, value) for n, v in signed.items() for value in v)
        if not self._validator.get().validate(incoming.url, fields, signature):
            raise BadSignature("invalid signature")

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """A status, or what somebody answered."""
        fields = incoming.form()
        status, code = first(fields, "MessageStatus"), first(fields, "ErrorCode")
        if status:
            if status == "undelivered" and code in MESSAGES_FAULT:
                status = "failed"
            hard = code in GONE
            return status_report(status, now, incoming.ticket, detail=code, hard=hard)
        return answer_report(first(fields, "OptOutType", "Body"), first(fields, "From"), now)


class TwilioWhatsAppReports(TwilioReports):
    """What Twilio reports on messages on WhatsApp, among it that one was read."""

    name = "twiliowhatsapp"
    channel = Channel.CHAT
