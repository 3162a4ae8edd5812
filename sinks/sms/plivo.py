"""SMS by Plivo's Message resource: one call a message."""

import msgspec
from msgspec import Struct

from pipeline.basic_auth import basic
from pipeline.secret_file import Derived
from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.vocabulary import Reason
from sinks.http.client import HttpClient, Reply, failure_of, require_url, unreadable
from sinks.provider import Outcome, PermanentFailure, TransientFailure
from sinks.sms.sms_provider import Text, Texter, Texting


class Request(Struct, frozen=True, omit_defaults=True):
    """The body of a request; `url` is where the reports go."""

    src: str
    dst: str
    text: str
    url: str = ""
    method: str = ""


class Accepted(Struct, frozen=True):
    """Plivo's reply to a message that it took."""

    message_uuid: tuple[str, ...]


class Error(Struct, frozen=True):
    """The body of a reply that is no success."""

    error: str


class Plivo(Texter):
    """Sends text messages for one account."""

    name = "plivo"

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._base = settings.plivo_url.rstrip("/")
        self._id = settings.plivo_auth_id
        super().__init__(Texting(settings, self.name))
        self._http = http
        self._headers = Derived(
            settings,
            "plivo_auth_token",
            lambda token: {
                "Authorization": basic(settings.plivo_auth_id, token),
                "Content-Type": "application/json",
            },
        )
        self._encoder = msgspec.json.Encoder()

    async def check(self) -> None:
        """Raise Misconfigured for a missing account, token or sender; makes no call."""
        require_url("TOCSIN_PLIVO_URL", self._base)
        if not self._id:
            raise Misconfigured("TOCSIN_PLIVO_AUTH_ID is not set.")
        if not self._headers.is_set:
            raise Misconfigured("TOCSIN_PLIVO_AUTH_TOKEN is not set.")
        self.texting.check()

    async def send_text(self, delivery: Delivery, text: Text) -> Outcome:
        """The call for one message."""
        url = f"{self._base}/v1/Account/{self._id}/Message/"
        body = self._encoder.encode(request_of(text))
        reply = await self._http.post(url, body, self._headers.get())
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply, text)


def request_of(text: Text) -> Request:
    """The request for a message."""
    method = "POST" if text.callback else ""
    return Request(text.sender, text.to, text.body, text.callback, method)


def outcome_of(reply: Reply, text: Text) -> Outcome:
    """What Plivo's reply means."""
    success = reply.status in (200, 202)
    try:
        if success:
            taken = read_foreign(reply.body, Accepted).message_uuid
            return text.sent(taken[0]) if taken else unreadable(reply)
        said = read_foreign(reply.body, Error).error
    except UNDECODABLE:
        return failure_of(reply, None)
    if reply.status == 400 and (
        _names_recipient(said, text) or {"src", "dst"} <= set(said.split())
    ):
        # The number that we send from is no recipient either.
        return PermanentFailure(Reason.INVALID_ADDRESS, said)
    elif reply.status == 404 or "src" in said:
        # Account and sender are settings: refusing messages for them would lose everybody's.
        return TransientFailure(Reason.UNAUTHORIZED, said)
    elif reply.status == 400 and "dst" in said:
        return PermanentFailure(Reason.INVALID_ADDRESS, said)
    return failure_of(reply, said)


def _names_recipient(said: str, text: Text) -> bool:
    """Whether it is the recipient's number that is none; of a sender's Plivo says the same."""
    return "not a valid phone number" in said and text.to.removeprefix("+") in said
