"""Push by Firebase Cloud Messaging, HTTP v1: one call a message."""

import contextlib
from collections import OrderedDict
from collections.abc import Collection, Iterator
from functools import partial

import msgspec
from msgspec import Struct

from pipeline.clock import Clock, SystemClock
from pipeline.settings import Settings
from policy.contact.address import BARE
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http.adaptive_rate import Pace
from sinks.http.breaker import answers_of
from sinks.http.circuits import Circuits
from sinks.http.client import HttpClient, Reply, failure_of, require_url
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure
from sinks.push.apns import BAD_TOKEN, GONE
from sinks.push.fcm_message import body_of
from sinks.push.google_token import AccessTokens
from sinks.single_message import SingleMessageProvider

SYSTEM_CLOCK = SystemClock()
THIRD_PARTY = "Apple or a browser's push service"
MOST_KEPT = 10_000
"""Tokens of which it is remembered that others deliver to them."""


class Accepted(Struct, frozen=True):
    """FCM's reply to a message that it took."""

    name: str


class Violation(Struct, frozen=True):
    """A field that FCM refuses, or a quota that was exceeded."""

    field: str = ""
    subject: str = ""
    description: str = ""


class Detail(Struct, frozen=True, rename="camel"):
    """One of the details of an error, of which there are several kinds; `reason` is Apple's."""

    error_code: str = ""
    reason: str = ""
    field_violations: tuple[Violation, ...] = ()
    violations: tuple[Violation, ...] = ()


class Error(Struct, frozen=True):
    """Google's form of an error."""

    message: str = ""
    status: str = ""
    details: tuple[msgspec.Raw, ...] = ()

    def has_code(self, code: str) -> bool:
        """Whether FCM gives this errorCode."""
        return any(detail.error_code == code for detail in self._read())

    def apples(self, reasons: Collection[str]) -> str:
        """Which of these words of Apple's FCM hands on; empty where it is none."""
        return next((each.reason for each in self._read() if each.reason in reasons), "")

    def blames_token(self) -> bool:
        """Whether it is the device token that FCM can't use, rather than the message."""
        violations = (v for detail in self._read() for v in detail.field_violations)
        return "registration token" in self.message or any(
            violation.field == "message.token" for violation in violations
        )

    def is_of_one_device(self) -> bool:
        """Whether the quota that was exceeded is the one that each device has for itself."""
        violations = (v for detail in self._read() for v in detail.violations)
        said = (self.message, *(f"{v.subject} {v.description}" for v in violations))
        return any("device" in text.lower() for text in said)

    def _read(self) -> Iterator[Detail]:
        """The details that can be read: Google adds kinds, and none of them is worth a reply."""
        for detail in self.details:
            with contextlib.suppress(*UNDECODABLE):
                yield read_foreign(bytes(detail), Detail)


class ErrorBody(Struct, frozen=True):
    """The body of a reply that is no success."""

    error: Error


class Fcm(SingleMessageProvider):
    """Sends to device tokens of the one project that the service account belongs to."""

    name = "fcm"
    channel = Channel.PUSH
    scheme = BARE

    def __init__(self, settings: Settings, http: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._url = settings.fcm_url.rstrip("/")
        self._http = http
        self._clock = clock
        self._tokens = AccessTokens(settings.fcm_credentials, settings.provider_timeout, clock)
        self._pace = Pace(settings.fcm_per_minute / 60)
        self._circuits = Circuits(settings.provider_timeout, clock)
        self._of_third_party: OrderedDict[str, None] = OrderedDict()
        self._is_proven = False
        self._encoder = msgspec.json.Encoder()

    async def check(self) -> None:
        """Raise Misconfigured for a bad file, and for an account that Google refuses.

        An unreachable token endpoint passes: it may be up again when the first message comes.
        """
        require_url("TOCSIN_FCM_URL", self._url)
        self._tokens.load()
        token = await self._tokens.token()
        if isinstance(token, TransientFailure) and token.reason is Reason.UNAUTHORIZED:
            raise Misconfigured(f"TOCSIN_FCM_CREDENTIALS is refused: {token.detail}")

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send.

        What FCM hands on to Apple or to browsers' services has a circuit of its own, as Firebase
        may hold no good key of ours for them. Which tokens are theirs only replies tell.
        """
        if delivery.address not in self._of_third_party:
            outcome = await self._send(delivery)
        else:
            user = delivery.tenant, delivery.user
            send, said = partial(self._send, delivery), partial(answers_of, part=THIRD_PARTY)
            outcome = await self._circuits.call(THIRD_PARTY, send, key=user, said=said)
        if isinstance(outcome, TransientFailure) and outcome.part == THIRD_PARTY:
            self._of_third_party[delivery.address] = None
            if len(self._of_third_party) > MOST_KEPT:
                self._of_third_party.popitem(last=False)
        return outcome

    async def _send(self, delivery: Delivery) -> Outcome:
        made_at = await self._pace.wait(urgent=delivery.priority is Priority.CRITICAL)
        body = self._encoder.encode(body_of(delivery, self._clock.now()))
        token = await self._tokens.token()
        if isinstance(token, TransientFailure):
            return token
        reply = await self._call(body, token)
        if isinstance(reply, Reply) and reply.status == 401 and not _is_of_third_party(reply):
            # A token may be revoked before its time; a second refusal is the account's.
            self._tokens.discard(token)
            token = await self._tokens.token()
            if isinstance(token, TransientFailure):
                return token
            reply = await self._call(body, token)
        if isinstance(reply, TransientFailure):
            return reply
        outcome = outcome_of(reply, is_proven=self._is_proven)
        if isinstance(outcome, Sent):
            self._is_proven = True
        elif outcome.reason is Reason.THROTTLED and outcome.whose is Fault.PROVIDER:
            self._pace.exceeded(made_at)
        return outcome

    async def _call(self, body: bytes, token: str) -> Reply | TransientFailure:
        url = f"{self._url}/v1/projects/{self._tokens.load()}/messages:send"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return await self._http.post(url, body, headers)


def _is_of_third_party(reply: Reply) -> bool:
    try:
        error = read_foreign(reply.body, ErrorBody).error
    except UNDECODABLE:
        return False
    return error.has_code("THIRD_PARTY_AUTH_ERROR")


def outcome_of(reply: Reply, *, is_proven: bool = True) -> Outcome:
    """What FCM's reply means; `is_proven` says whether it took messages from this account."""
    try:
        if reply.status == 200:
            return Sent(read_foreign(reply.body, Accepted).name)
        error = read_foreign(reply.body, ErrorBody).error
    except UNDECODABLE:
        return failure_of(reply, None)
    said = f"{error.status}: {error.message}"
    if error.has_code("UNREGISTERED") or error.apples(GONE):
        return PermanentFailure(Reason.UNREGISTERED, said)
    elif reason := error.apples(BAD_TOKEN):
        # Of another app or environment, if Firebase's settings for Apple's devices are not wrong.
        return PermanentFailure(Reason.INVALID_ADDRESS, f"{said}: {reason}", lasting=False)
    elif error.has_code("SENDER_ID_MISMATCH"):
        # Another project's token; or, before anything went out, our account may be the wrong one.
        if is_proven:
            return PermanentFailure(Reason.INVALID_ADDRESS, said, lasting=False)
        return TransientFailure(Reason.UNAUTHORIZED, said, fault=Fault.ADDRESS)
    elif error.has_code("THIRD_PARTY_AUTH_ERROR"):
        return TransientFailure(Reason.UNAUTHORIZED, said, part=THIRD_PARTY)
    elif reply.status == 429 and error.is_of_one_device():
        return TransientFailure(Reason.THROTTLED, said, reply.retry_after, fault=Fault.ADDRESS)
    elif reply.status == 404:
        # Not the device: the project or the URL. Taken for the device, it would lose them all.
        return TransientFailure(Reason.UNAUTHORIZED, f"HTTP 404: {said}")
    elif reply.status == 400 and error.blames_token():
        return PermanentFailure(Reason.INVALID_ADDRESS, said)
    return failure_of(reply, said)
