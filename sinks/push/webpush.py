"""Push to browsers by Web Push (RFC 8030), encrypted for each (RFC 8291): one call a message."""

from collections import OrderedDict
from collections.abc import Hashable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from pipeline.clock import Clock, SystemClock
from pipeline.settings import Settings
from policy.contact.address import split_address
from schemas.delivery import KEEPS_BADGE, SILENT, Action, Delivery
from schemas.encoding import UNDECODABLE
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http.adaptive_rate import Pace
from sinks.http.circuits import MOST, Circuits
from sinks.http.client import HttpClient, Reply, failure_of, unreadable
from sinks.http.endpoints import server_of
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure
from sinks.push.urgency import URGENCY
from sinks.push.vapid import Vapid, decoded
from sinks.single_message import SingleMessageProvider

SYSTEM_CLOCK = SystemClock()
MAX_TTL = 2_419_200  # seconds: push services keep a message four weeks at most
MOST_BYTES = 3993
"""Of a payload: what RFC 8291 leaves of the 4096 that every push service takes."""
MISMATCH = (
    b"VapidPkHashMismatch",  # Apple
    b"do not correspond to the credentials",  # Google
    b"does not correspond to the sender ID",  # Google, in other cases
    b"UnauthorizedRegistration",  # Google, long ago
    b"VAPID public key mismatch",  # Mozilla
)
"""Words for a subscription that was made for another key than ours."""
UNKNOWN = (b"BadWebPushToken", b"BadDeviceToken", b"Unregistered")
"""Apple's words for a subscription that is none, or none any more; it says 400 and not 404."""
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
    """What the app's service worker gets: `tag` and `silent` for `showNotification`, which takes
    the place of what is shown with the same tag, and `badge` for `setAppBadge`."""

    title: str
    body: str
    notification_id: str
    delivery_id: str
    data: dict[str, object] = {}
    image: str = ""
    actions: tuple[Action, ...] = ()
    tag: str = ""
    silent: bool = False
    badge: int = KEEPS_BADGE


class _Service:
    """One push service, known by its host: what pace it bears, and whether it takes our key."""

    def __init__(self, rate: float) -> None:
        self.pace = Pace(rate)
        self.is_proven = False
        self._throttled: Hashable = None

    def note(self, outcome: Outcome, user: Hashable, made_at: float) -> None:
        """A call to it had this outcome. Of one user alone a service may get too much."""
        if isinstance(outcome, Sent):
            self.is_proven, self._throttled = True, None
        elif outcome.reason is Reason.THROTTLED:
            if self._throttled not in (None, user):
                self.pace.exceeded(made_at)
            self._throttled = user


class WebPush(SingleMessageProvider):
    """Sends to the browsers that subscribed with one application server key.

    Each push service has a circuit and a pace of its own.

    An endpoint comes from outside: only those of known push services are called, which the
    setting lists by host.
    """

    name = "webpush"
    channel = Channel.PUSH
    scheme = "web"
    is_one_server = False

    def __init__(self, settings: Settings, http: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        key = settings.vapid_private_key.get_secret_value()
        self._vapid = Vapid(key, settings.vapid_subject, clock)
        self._hosts = settings.webpush_hosts
        self._http = http
        self._clock = clock
        self._encoder = msgspec.json.Encoder()
        self._circuits = Circuits(settings.provider_timeout, clock)
        self._rate = settings.webpush_per_second
        self._services: OrderedDict[str, _Service] = OrderedDict()

    def server_of(self, delivery: Delivery) -> str:
        """The push service's host and port."""
        _, text = split_address(delivery.address)
        try:
            return server_of(msgspec.json.decode(text, type=Subscription).endpoint)
        except UNDECODABLE:
            return ""

    async def check(self) -> None:
        """Raise Misconfigured for a missing key or subject; makes no call."""
        self._vapid.check()

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        _, text = split_address(delivery.address)
        payload = self._encoder.encode(payload_of(delivery))
        if len(payload) > MOST_BYTES:
            return PermanentFailure(
                Reason.REJECTED, f"{len(payload)} bytes, {MOST_BYTES} are possible"
            )
        try:
            subscription = msgspec.json.decode(text, type=Subscription)
            body = encrypted(payload, subscription.keys)
            is_known = self._is_known(subscription.endpoint)
        except (ValueError, http_ece.ECEException, *UNDECODABLE):
            return PermanentFailure(Reason.INVALID_ADDRESS, "the subscription can't be used")
        if not is_known:
            return PermanentFailure(
                Reason.INVALID_ADDRESS, "the endpoint is no known push service's"
            )
        headers = self._headers(delivery, subscription.endpoint)
        host, user = server_of(subscription.endpoint), (delivery.tenant, delivery.user)

        async def send() -> Outcome:
            service = self._service(host)
            made_at = await service.pace.wait(urgent=delivery.priority is Priority.CRITICAL)
            reply = await self._http.post(subscription.endpoint, body, headers)
            if isinstance(reply, TransientFailure):
                return reply
            outcome = outcome_of(reply, is_proven=service.is_proven)
            service.note(outcome, user, made_at)
            return outcome

        return await self._circuits.call(host, send, key=user)

    def _service(self, host: str) -> _Service:
        kept = self._services.get(host)
        if kept is None:
            kept = self._services[host] = _Service(self._rate)
        self._services.move_to_end(host)
        if len(self._services) > MOST:
            self._services.popitem(last=False)
        return kept

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
            # At 0 Windows refuses what does not say, beside it, that nothing is to be kept.
            "TTL": str(min(MAX_TTL, max(1, seconds))),
            "Urgency": URGENCY[delivery.priority],
            # A repeat takes the place of the first; 32 characters at most.
            "Topic": delivery.collapses_by,
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
        content.image,
        content.actions,
        delivery.replaces,
        content.sound == SILENT,
        content.badge,
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


def outcome_of(reply: Reply, *, is_proven: bool = True) -> Outcome:
    """What a push service's reply means; its body is kept out, whoever wrote it.

    `is_proven` says whether the service took messages signed with our key.
    """
    status = reply.status
    if status in (201, 202):
        return Sent(reply.header("location") or "")
    elif status in (404, 410):
        return PermanentFailure(Reason.UNREGISTERED, f"HTTP {status}: the subscription is gone")
    elif status < 400:
        return unreadable(reply)
    elif status < 404 and any(words in reply.body for words in MISMATCH):
        said = f"HTTP {status}: it was subscribed with another key"
        if is_proven:
            return PermanentFailure(Reason.INVALID_ADDRESS, said, lasting=False)
        return TransientFailure(Reason.UNAUTHORIZED, said, fault=Fault.ADDRESS)
    elif status == 400 and any(words in reply.body for words in UNKNOWN):
        return PermanentFailure(Reason.UNREGISTERED, "HTTP 400: it knows no such subscription")
    elif status in (406, 429):
        # Windows says 406. Whether it is one subscription or all of ours it does not say.
        said = f"HTTP {status}: the push service refuses it"
        return TransientFailure(Reason.THROTTLED, said, reply.retry_after, fault=Fault.CREDENTIALS)
    return failure_of(reply, "the push service refuses it")
