"""Vonage's delivery receipts and incoming messages, with a signature among their fields."""

from collections.abc import Sequence
from typing import Any

from vonage_http_client.auth import Auth

from pipeline.secret_file import Derived
from pipeline.settings import Settings
from policy.tracking.provider_report import Report
from schemas.vocabulary import Channel
from web.reports.incoming import BadSignature, Incoming, at_of, first, require_recent
from web.reports.texts import answer_report, status_report

# https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
GONE = frozenset({"3", "4"})
"""Subscriber absent for good, or barred; 99 is whatever has no code of its own."""


class VonageReports:
    """What Vonage reports on texts."""

    name = "vonage"
    channel = Channel.SMS

    def __init__(self, settings: Settings) -> None:
        self._auth = Derived(
            settings,
            "vonage_signature_secret",
            lambda secret: Auth(
                api_key=settings.vonage_api_key or "-",
                signature_secret=secret or "-",
                signature_method="sha256",
            ),
        )
        self.is_set_up = self._auth.is_set
        self._window = settings.report_window

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check the signature over all fields, and its time; raises BadSignature or Malformed."""
        fields = _fields_of(incoming)
        signature, timestamp = first(fields, "sig"), first(fields, "timestamp")
        if not signature or not timestamp.isdecimal():
            raise BadSignature("not signed")
        if not signature.isascii():
            raise BadSignature("the signature is none")
        if not self._auth.get().check_signature(dict(fields)):
            raise BadSignature("invalid signature")
        require_recent(timestamp, now, self._window)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """A status, or what somebody answered."""
        fields = _fields_of(incoming)
        timestamp = first(fields, "timestamp")
        at = at_of(float(timestamp) if timestamp.isdecimal() else None, now)
        status, code = first(fields, "status"), first(fields, "err-code")
        if status:
            hard = code in GONE
            named = first(fields, "client-ref")
            network = first(fields, "network-code")
            return status_report(
                status, at, reference=named, detail=code, hard=hard, network=network
            )
        return answer_report(first(fields, "text"), first(fields, "msisdn"), at)


def _fields_of(incoming: Incoming) -> dict[str, str]:
    if "json" not in first(incoming.headers, "Content-Type"):
        return incoming.form()
    values = incoming.json(dict[str, Any])
    return {name: str(value) for name, value in values.items() if value is not None}
