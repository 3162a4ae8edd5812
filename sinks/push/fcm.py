"""Push by Firebase Cloud Messaging, HTTP v1: one call a message."""

import msgspec
from msgspec import Struct

from pipeline.clock import Clock, SystemClock
from pipeline.errors import Misconfigured
from pipeline.settings import Settings
from policy.user.address import BARE
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.vocabulary import Channel, Reason
from sinks.http import HttpClient, Reply, failure_of, require_url
from sinks.one_by_one import OneByOne
from sinks.pace import Pace
from sinks.provider import Outcome, Refused, Retry, Sent
from sinks.push.fcm_message import body_of
from sinks.push.google_token import AccessTokens

SYSTEM_CLOCK = SystemClock()


class Accepted(Struct, frozen=True):
    """FCM's reply to a message that it took."""

    name: str


class Violation(Struct, frozen=True):
    """A field that FCM refuses."""

    field: str = ""


class Detail(Struct, frozen=True, rename="camel"):
    """One of the details of an error, of which there are several kinds."""

    error_code: str = ""
    field_violations: tuple[Violation, ...] = ()


class Error(Struct, frozen=True):
    """Google's form of an error."""

    message: str
    status: str = ""
    details: tuple[Detail, ...] = ()

    def has_code(self, code: str) -> bool:
        """Whether FCM gives this errorCode."""
        return any(detail.error_code == code for detail in self.details)

    def blames_token(self) -> bool:
        """Whether it is the device token that FCM can't use, rather than the message."""
        violations = (v for detail in self.details for v in detail.field_violations)
        return "registration token" in self.message or any(
            violation.field == "message.token" for violation in violations
        )


class ErrorBody(Struct, frozen=True):
    """The body of a reply that is no success."""

    error: Error


class Fcm(OneByOne):
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
        self._encoder = msgspec.json.Encoder()

    async def check(self) -> None:
        """Raise Misconfigured for a bad file, and for an account that Google refuses.

        An unreachable token endpoint passes: it may be up again when the first message comes.
        """
        require_url("TOCSIN_FCM_URL", self._url)
        self._tokens.load()
        token = await self._tokens.token()
        if isinstance(token, Retry) and token.reason is Reason.UNAUTHORIZED:
            raise Misconfigured(f"TOCSIN_FCM_CREDENTIALS is refused: {token.detail}")

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        await self._pace.wait()
        body = self._encoder.encode(body_of(delivery, self._clock.now()))
        token = await self._tokens.token()
        if isinstance(token, Retry):
            return token
        reply = await self._call(body, token)
        if isinstance(reply, Reply) and reply.status == 401:
            # A token may be revoked before its time; a second refusal is the account's.
            self._tokens.discard(token)
            token = await self._tokens.token()
            if isinstance(token, Retry):
                return token
            reply = await self._call(body, token)
        if isinstance(reply, Retry):
            return reply
        outcome = outcome_of(reply)
        if isinstance(outcome, Retry) and outcome.reason is Reason.THROTTLED:
            self._pace.exceeded()
        return outcome

    async def _call(self, body: bytes, token: str) -> Reply | Retry:
        url = f"{self._url}/v1/projects/{self._tokens.load()}/messages:send"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return await self._http.post(url, body, headers)


def outcome_of(reply: Reply) -> Outcome:
    """What FCM's reply means."""
    try:
        if reply.status == 200:
            return Sent(msgspec.json.decode(reply.body, type=Accepted).name)
        error = msgspec.json.decode(reply.body, type=ErrorBody).error
    except UNDECODABLE:
        return failure_of(reply, None)
    said = f"{error.status}: {error.message}"
    if error.has_code("UNREGISTERED"):
        return Refused(Reason.UNREGISTERED, said)
    elif reply.status == 404:
        # Not the device: the project or the URL. Taken for the device, it would lose them all.
        return Retry(Reason.UNAUTHORIZED, f"HTTP 404: {said}")
    elif reply.status == 400 and error.blames_token():
        return Refused(Reason.INVALID_ADDRESS, said)
    return failure_of(reply, said)
