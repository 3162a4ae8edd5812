"""SMS by Vonage's SMS API: one call a message, and errors in replies that say 200."""

import msgspec
from msgspec import Struct, field

from pipeline.basic_auth import basic
from pipeline.producing.outputs import partition_of
from pipeline.secret_file import Derived
from pipeline.settings import Settings
from policy.tracking.reference import reference_of
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.vocabulary import Reason
from sinks.http.client import HttpClient, Reply, failure_of, require_url, unreadable
from sinks.provider import Outcome, PermanentFailure, TransientFailure
from sinks.sms.sms_provider import Text, Texter, Texting

MOST_CALLBACK = 100
"""Characters of a callback; without one Vonage reports to the account's."""

# https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms: by status.
SENT, INTERNAL = "0", "5"
THROTTLED = frozenset({"1", "10"})
"""More messages a second, or calls at once, than the account may have."""
BAD_NUMBER = frozenset({"6", "7", "33"})
CONFIGURATION_ERRORS = frozenset({"4", "8", "9", "11", "14", "15", "23", "32"})
"""Credentials, balance, sender or account: no fault of the recipient's."""
NOT_YET = "29"
"""While we only try Vonage, it serves the numbers that we entered there."""


class Request(Struct, frozen=True, omit_defaults=True):
    """The body of a request; numbers without their plus sign."""

    to: str
    from_: str = field(name="from")
    text: str
    type: str
    client_ref: str = field(name="client-ref")
    callback: str = ""


class Part(Struct, frozen=True):
    """What became of one part of a message."""

    status: str
    message_id: str = field(name="message-id", default="")
    error_text: str = field(name="error-text", default="")


class Parts(Struct, frozen=True):
    """Vonage's reply."""

    messages: tuple[Part, ...]


class Vonage(Texter):
    """Sends text messages for one API key."""

    name = "vonage"
    keeps_tickets = True
    """A callback is too short for a ticket; receipts bear `client-ref`, of a hundred characters."""

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._base = settings.vonage_url.rstrip("/")
        self._key = settings.vonage_api_key
        self._headers = Derived(
            settings,
            "vonage_api_secret",
            lambda secret: {
                "Authorization": basic(settings.vonage_api_key, secret),
                "Content-Type": "application/json",
            },
        )
        self._partitions = settings.partitions
        super().__init__(Texting(settings, self.name, keeps_tickets=self.keeps_tickets))
        self._http = http
        self._encoder = msgspec.json.Encoder()

    async def check(self) -> None:
        """Raise Misconfigured for a missing key, secret or sender; makes no call."""
        require_url("TOCSIN_VONAGE_URL", self._base)
        if not self._key:
            raise Misconfigured("TOCSIN_VONAGE_API_KEY is not set.")
        if not self._headers.is_set:
            raise Misconfigured("TOCSIN_VONAGE_API_SECRET is not set.")
        self.texting.check()

    async def send_text(self, delivery: Delivery, text: Text) -> Outcome:
        """The call for one message."""
        body = self._encoder.encode(self.request_of(delivery, text))
        reply = await self._http.post(f"{self._base}/sms/json", body, self._headers.get())
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply, text)

    def request_of(self, delivery: Delivery, text: Text) -> Request:
        """The request for a delivery."""
        return Request(
            to=text.to.removeprefix("+"),
            from_=text.sender.removeprefix("+"),
            text=text.body,
            type="text" if text.is_gsm else "unicode",
            client_ref=reference_of(delivery, partition_of(delivery.user, self._partitions)),
            callback=text.callback if len(text.callback) <= MOST_CALLBACK else "",
        )


def outcome_of(reply: Reply, text: Text) -> Outcome:
    """What Vonage's reply means."""
    if reply.status != 200:
        return failure_of(reply, None)
    try:
        parts = read_foreign(reply.body, Parts).messages
    except UNDECODABLE:
        return unreadable(reply)
    failed = [part for part in parts if part.status != SENT]
    if not parts:
        return unreadable(reply)
    elif not failed:
        return text.sent(parts[0].message_id, len(parts))
    elif len(failed) < len(parts):
        return TransientFailure(Reason.PROVIDER_ERROR, "only some parts were taken", uncertain=True)
    return _failure(failed[0], reply.retry_after)


def _failure(part: Part, after: float | None) -> TransientFailure | PermanentFailure:
    said = f"{part.status}: {part.error_text}"
    if part.status in THROTTLED:
        return TransientFailure(Reason.THROTTLED, said, after)
    elif part.status == INTERNAL:
        return TransientFailure(Reason.PROVIDER_ERROR, said)
    elif part.status in CONFIGURATION_ERRORS:
        return TransientFailure(Reason.UNAUTHORIZED, said)
    elif part.status == NOT_YET:
        return PermanentFailure(Reason.UNREGISTERED, said, lasting=False)
    elif part.status in BAD_NUMBER:
        return PermanentFailure(Reason.INVALID_ADDRESS, said)
    return PermanentFailure(Reason.REJECTED, said)
