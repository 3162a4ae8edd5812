"""Push by Apple's service, over HTTP/2: one call a message."""

import msgspec
from msgspec import Struct

from pipeline.clock import Clock, SystemClock
from pipeline.settings import Settings
from policy.contact.address import split_address
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.vocabulary import Channel, Reason
from sinks.http.client import HttpClient, Reply, failure_of, require_url, unreadable
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure
from sinks.push.apns_payload import headers_of, payload_of
from sinks.push.apns_token import ProviderTokens
from sinks.single_message import SingleMessageProvider

SYSTEM_CLOCK = SystemClock()
TOO_OLD = "ExpiredProviderToken"

# https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
GONE = frozenset({"Unregistered", "ExpiredToken"})
BAD_TOKEN = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "MissingDeviceToken"})
CONFIGURATION_ERRORS = frozenset(
    {
        "BadCertificate",
        "BadCertificateEnvironment",
        "BadEnvironmentKeyIdInToken",
        "BadTopic",
        "Forbidden",
        "InvalidProviderToken",
        "MissingProviderToken",
        "MissingTopic",
        "TopicDisallowed",
        "UnrelatedKeyIdInToken",
        TOO_OLD,
    }
)
"""Key, team or topic: no fault of the device's."""
IDLE = "IdleTimeout"
"""Of the connection; the message was not looked at."""


class Error(Struct, frozen=True):
    """The body of a reply that is no success."""

    reason: str


class Apns(SingleMessageProvider):
    """Sends to devices of one app, for one team's key."""

    name = "apns"
    channel = Channel.PUSH
    scheme = "apns"

    def __init__(self, settings: Settings, _: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._url = settings.apns_url.rstrip("/")
        self._topic = settings.apns_topic
        self._tokens = ProviderTokens(settings, clock)
        # Its own: Apple speaks HTTP/2 alone, and one connection carries all calls.
        self._http = HttpClient(settings.provider_timeout, settings.calls_in_flight, http2=True)
        self._encoder = msgspec.json.Encoder()
        self._is_proven = False

    async def check(self) -> None:
        """Raise Misconfigured for a key, an id or a topic that is missing; makes no call."""
        require_url("TOCSIN_APNS_URL", self._url)
        self._tokens.check()
        if not self._topic:
            raise Misconfigured("TOCSIN_APNS_TOPIC is not set; it is the app's bundle id.")

    async def close(self) -> None:
        """Close the connection to Apple."""
        await self._http.close()

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        _, device = split_address(delivery.address)
        if not device.isalnum():
            return PermanentFailure(Reason.INVALID_ADDRESS, "the device token is not hexadecimal")
        body = self._encoder.encode(payload_of(delivery))
        headers = headers_of(delivery, self._topic)
        reply = await self._call(device, body, headers)
        if isinstance(reply, Reply) and reply.status == 403 and reason_of(reply) == TOO_OLD:
            # Clocks differ; a second refusal is no matter of age.
            self._tokens.discard(headers["authorization"])
            reply = await self._call(device, body, headers)
        if isinstance(reply, TransientFailure):
            return reply
        outcome = outcome_of(reply, is_proven=self._is_proven)
        self._is_proven = self._is_proven or isinstance(outcome, Sent)
        return outcome

    async def _call(
        self, device: str, body: bytes, headers: dict[str, str]
    ) -> Reply | TransientFailure:
        headers["authorization"] = self._tokens.authorization()
        return await self._http.post(f"{self._url}/3/device/{device}", body, headers)


def reason_of(reply: Reply) -> str | None:
    """Apple's word for what is wrong, None where it is not Apple who says it."""
    try:
        return read_foreign(reply.body, Error).reason
    except UNDECODABLE:
        return None


def outcome_of(reply: Reply, *, is_proven: bool = True) -> Outcome:
    """What Apple's reply means; `is_proven` says whether it took messages for this app here."""
    if reply.status == 200:
        reference = reply.header("apns-id")
        return Sent(reference) if reference and not reply.body else unreadable(reply)
    reason = reason_of(reply)
    if reason in GONE:
        return PermanentFailure(Reason.UNREGISTERED, reason or "")
    elif reason in BAD_TOKEN:
        # A token of the other environment or app, if ours is not the wrong one.
        return PermanentFailure(Reason.INVALID_ADDRESS, reason or "", lasting=is_proven)
    elif reason in CONFIGURATION_ERRORS:
        return TransientFailure(Reason.UNAUTHORIZED, reason or "")
    elif reason == IDLE:
        return TransientFailure(Reason.PROVIDER_ERROR, reason)
    elif reply.status == 429 and reason is not None:
        fault = Fault.ADDRESS if reason == "TooManyRequests" else Fault.CREDENTIALS
        return TransientFailure(
            Reason.THROTTLED, f"HTTP 429: {reason}", reply.retry_after, fault=fault
        )
    return failure_of(reply, reason)
