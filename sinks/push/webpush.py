"""Push to browsers by Web Push (RFC 8030), encrypted for each (RFC 8291): one call a message."""

from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from pipeline.clock import Clock, SystemClock
from pipeline.settings import Settings
from policy.user.address import split_address
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http import HttpClient, Reply, failure_of, unreadable
from sinks.one_by_one import OneByOne
from sinks.provider import Outcome, Refused, Retry, Sent
from sinks.push.vapid import Vapid, decoded

SYSTEM_CLOCK = SystemClock()
MAX_TTL = 2_419_200  # seconds: push services keep a message four weeks at most
MOST_BYTES = 3993
"""Of a payload: what RFC 8291 leaves of the 4096 that every push service takes."""
URGENCY = {
    Priority.CRITICAL: "high",
    Priority.HIGH: "high",
    Priority.NORMAL: "normal",
    Priority.LOW: "low",
    Priority.BULK: "very-low",
}
LOOPBACK = ("127.0.0.1", "localhost")


class Keys(Struct, frozen=True):
    """What a browser gave to encrypt for it, in base64url."""

    p256dh: str
    auth: str


class Subscription(Struct, frozen=True):
    """A browser's subscription, as `JSON.stringify` writes it."""

    endpoint: str
    keys: Keys


class Payload(Struct, frozen=True, omit_defaults=True):
    """What the app's service worker gets."""

    title: str
    body: str
    notification_id: str
    delivery_id: str
    data: dict[str, object] = {}


class WebPush(OneByOne):
    """Sends to the browsers that subscribed with one application server key.

    An endpoint comes from outside: only those of known push services are called, which the
    setting lists by host.
    """

    name = "webpush"
    channel = Channel.PUSH
    scheme = "web"

    def __init__(self, settings: Settings, http: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        key = settings.vapid_private_key.get_secret_value()
        self._vapid = Vapid(key, settings.vapid_subject, clock)
        self._hosts = settings.webpush_hosts
        self._http = http
        self._clock = clock
        self._encoder = msgspec.json.Encoder()

    async def check(self) -> None:
        """Raise Misconfigured for a missing key or subject; makes no call."""
        self._vapid.check()

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        _, text = split_address(delivery.address)
        payload = self._encoder.encode(payload_of(delivery))
        if len(payload) > MOST_BYTES:
            return Refused(Reason.REJECTED, f"{len(payload)} bytes, {MOST_BYTES} are possible")
        try:
            subscription = msgspec.json.decode(text, type=Subscription)
            body = encrypted(payload, subscription.keys)
            is_known = self._is_known(subscription.endpoint)
        except (ValueError, http_ece.ECEException, *UNDECODABLE):
            return Refused(Reason.INVALID_ADDRESS, "the subscription can't be used")
        if not is_known:
            return Refused(Reason.INVALID_ADDRESS, "the endpoint is no known push service's")
        headers = self._headers(delivery, subscription.endpoint)
        reply = await self._http.post(subscription.endpoint, body, headers)
        return reply if isinstance(reply, Retry) else outcome_of(reply)

    def _is_known(self, endpoint: str) -> bool:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        if parts.scheme != "https" and host not in LOOPBACK:
            return False
        return any(fnmatchcase(host, pattern) for pattern in self._hosts)

    def _headers(self, delivery: Delivery, endpoint: str) -> dict[str, str]:
        seconds = (delivery.expires_at - self._clock.now()) // 1000
        return {
            "Authorization": self._vapid.authorization(endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(min(MAX_TTL, max(0, seconds))),
            "Urgency": URGENCY[delivery.priority],
            # A repeat takes the place of the first; 32 characters at most.
            "Topic": delivery.notification_id,
        }


def payload_of(delivery: Delivery) -> Payload:
    """The payload of a delivery."""
    content = delivery.content
    return Payload(
        content.title,
        content.body,
        delivery.notification_id,
        delivery.delivery_id,
        content.data,
    )


def encrypted(payload: bytes, keys: Keys) -> bytes:
    """The payload for the browser with these keys; raises ValueError or ECEException."""
    body: bytes = http_ece.encrypt(
        payload,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=decoded(keys.p256dh),
        auth_secret=decoded(keys.auth),
        version="aes128gcm",
    )
    return body


def outcome_of(reply: Reply) -> Outcome:
    """What a push service's reply means; its body is kept out, whoever wrote it."""
    if reply.status in (201, 202):
        return Sent(reply.header("location") or "")
    elif reply.status in (404, 410):
        return Refused(Reason.UNREGISTERED, f"HTTP {reply.status}: the subscription is gone")
    elif reply.status < 400:
        return unreadable(reply)
    return failure_of(reply, "the push service refuses it")
