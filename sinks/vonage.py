"""Vonage's Messages API: the account or the application, the call, and what its replies mean."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct, field

from pipeline.basic_auth import basic
from pipeline.clock import Clock, SystemClock
from pipeline.producing.outputs import partition_of
from pipeline.replaced_files import ReplacedFiles, renewed
from pipeline.settings import Settings
from policy.tracking.reference import reference_of
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.vocabulary import Reason
from sinks.http.client import HttpClient, Reply, failure_of, require_url
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure

SYSTEM_CLOCK = SystemClock()
LIFETIME = 15 * 60
"""Seconds for which a token is good; Vonage's own packages choose the same."""
RENEW_MS = 10 * 60_000
VERSION = "v1"
"""Of what is reported."""

# https://developer.vonage.com/en/api-errors/messages, and https://developer.vonage.com/en/api-errors
# for those with names: what comes behind the # of a problem's type.
CONFIGURATION_ERRORS = frozenset(
    {"1060", "1070", "1080", "1110", "1120", "1140", "1160", "1400", "1420", "1460"}
    | {"low-balance", "unauthorized", "forbidden", "unprovisioned", "account-suspended"}
    | {"jwt-expired", "jwt-revoked", "invalid-api-key", "invalid-signature", "not-found"}
)
"""Credentials, balance, sender or account: no fault of the recipient's."""
THROTTLED = frozenset({"1000", "throttled", "rate-limit"})
FAILED = frozenset({"1030", "1100", "1230", "1331"})
BAD_NUMBER = frozenset({"1040", "1050", "1170", "1300", "1430"})
"""1300 is a number that the channel does not know."""
GONE = frozenset({"1190", "1240"})
"""Absent for good, or said STOP."""
TOO_MANY_FOR_ONE = "1241"
NO_DEVICE = "1310"


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of a request's body that all channels have; numbers without their plus sign."""

    to: str
    from_: str = field(name="from")
    channel: str
    message_type: str
    client_ref: str
    webhook_url: str = ""
    webhook_version: str = ""


class Accepted(Struct, frozen=True):
    """The reply to a message that it took."""

    message_uuid: str


class Problem(Struct, frozen=True):
    """The body of a reply that is no success."""

    type: str
    title: str = ""

    @property
    def code(self) -> str:
        """A number, or a word."""
        return self.type.rpartition("#")[2]


class VonageAccount:
    """Who calls: an application by tokens that it signs, or an API key with its secret."""

    def __init__(self, settings: Settings, http: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._base = settings.vonage_messages_url.rstrip("/")
        self._key = settings.vonage_api_key
        self._secret = settings.vonage_api_secret
        self._application = settings.vonage_application_id
        self._path = settings.vonage_private_key
        self._private: rsa.RSAPrivateKey | None = None
        self._replaced = ReplacedFiles(self._path, monotonic=lambda: clock.now() / 1000)
        self._partitions = settings.partitions
        self._http = http
        self._clock = clock
        self._token, self._made_at = "", 0
        self._encode = msgspec.json.Encoder().encode

    def check(self) -> None:
        """Raise Misconfigured for what is missing; makes no call."""
        require_url("TOCSIN_VONAGE_MESSAGES_URL", self._base)
        if self._application:
            self._load()
        elif self._path is not None:
            raise Misconfigured("TOCSIN_VONAGE_APPLICATION_ID is not set.")
        elif not self._key:
            raise Misconfigured("TOCSIN_VONAGE_API_KEY is not set.")
        elif not self._secret.get_secret_value():
            raise Misconfigured("TOCSIN_VONAGE_API_SECRET is not set.")

    def about(self, delivery: Delivery, sender: str, to: str, callback: str) -> dict[str, Any]:
        """Of a message's fields those that say from whom to whom it goes, and how it is reported;
        numbers may have their +."""
        here = partition_of(delivery.user, self._partitions)
        return {
            "to": to.removeprefix("+"),
            "from_": sender.removeprefix("+"),
            "client_ref": reference_of(delivery, here),
            "webhook_url": callback,
            "webhook_version": VERSION if callback else "",
        }

    async def post(self, message: Message) -> Reply | TransientFailure:
        """The call for one message."""
        headers = {"Authorization": self.authorization(), "Content-Type": "application/json"}
        return await self._http.post(f"{self._base}/v1/messages", self._encode(message), headers)

    def authorization(self) -> str:
        """What shows who calls; a token that is good for now where there is an application."""
        if not self._application:
            return basic(self._key, self._secret.get_secret_value())
        now, private = self._clock.now(), self._load()
        if not self._token or not 0 <= now - self._made_at < RENEW_MS:
            claims = {
                "application_id": self._application,
                "iat": now // 1000,
                "exp": now // 1000 + LIFETIME,
                "jti": str(uuid.uuid4()),
            }
            self._token = jwt.encode(claims, private, algorithm="RS256")
            self._made_at = now
        return f"Bearer {self._token}"

    def _load(self) -> rsa.RSAPrivateKey:
        if self._private is None:
            self._private = _read(self._path)
        elif self._replaced.changed():
            new = renewed("vonage_private_key", lambda: _read(self._path))
            if new is not None:
                self._private, self._token = new, ""
        return self._private


def outcome_of(reply: Reply, sent: Callable[[str], Sent]) -> Outcome:
    """What Vonage's reply means; `sent` makes the outcome of a message that it took."""
    try:
        if reply.status < 300:
            return sent(read_foreign(reply.body, Accepted).message_uuid)
        problem = read_foreign(reply.body, Problem)
    except UNDECODABLE:
        return failure_of(reply, None)
    code, said = problem.code, f"{problem.code}: {problem.title}"
    if code in CONFIGURATION_ERRORS or reply.status == 402:
        return TransientFailure(Reason.UNAUTHORIZED, said)
    elif code in THROTTLED:
        return TransientFailure(Reason.THROTTLED, said, reply.retry_after)
    elif code == TOO_MANY_FOR_ONE:
        return TransientFailure(Reason.THROTTLED, said, reply.retry_after, fault=Fault.ADDRESS)
    elif code in FAILED and reply.status < 500:
        return TransientFailure(Reason.PROVIDER_ERROR, said, reply.retry_after)
    elif code in GONE:
        return PermanentFailure(Reason.UNREGISTERED, said)
    elif code == NO_DEVICE:
        return PermanentFailure(Reason.UNREGISTERED, said, lasting=False)
    elif code in BAD_NUMBER:
        return PermanentFailure(Reason.INVALID_ADDRESS, said)
    return failure_of(reply, said)


def _read(path: Path | None) -> rsa.RSAPrivateKey:
    if path is None:
        said = "it is the private key of the application that Vonage hands out"
        raise Misconfigured(f"TOCSIN_VONAGE_PRIVATE_KEY is not set; {said}.")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise Misconfigured(f"TOCSIN_VONAGE_PRIVATE_KEY: {path} is not a key file.") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Misconfigured(f"TOCSIN_VONAGE_PRIVATE_KEY: {path} holds no RSA key.")
    return key
