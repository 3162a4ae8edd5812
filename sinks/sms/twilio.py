"""SMS by Twilio's Messages resource: one call a message."""

import base64
import re
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from pipeline.errors import Misconfigured
from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.vocabulary import Reason
from sinks.http import HttpClient, Reply, failure_of, require_url
from sinks.provider import Outcome, Refused, Retry
from sinks.sms.texting import Text, Texter, Texting

# https://www.twilio.com/docs/api/errors: what is wrong with whose number.
BAD_NUMBER = frozenset({21211, 21214, 21217, 21265, 21408, 21604, 21612, 21614, 21635})
"""Also where our account may not, or can't, send to just that number: 21408 its country is not
enabled, 21612 no carrier leads there from our sender."""
UNSUBSCRIBED = 21610
QUEUE_IS_FULL = 21611
OUR_SETTINGS = frozenset(
    {20003, 20404, 21212, 21603, 21606, 21609, 21659, 21660, 21701, 21703, 21704, 21705}
)
"""Credentials, the sender, or the Messaging Service that is to choose one."""
_SERVICE = re.compile(r"MG[0-9a-f]{32}")


class Accepted(Struct, frozen=True):
    """Twilio's reply to a message that it took."""

    sid: str


class Error(Struct, frozen=True):
    """The body of a reply that is no success."""

    code: int
    message: str


class Twilio(Texter):
    """Sends text messages for one account, from our numbers or through a Messaging Service."""

    name = "twilio"

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._sid = settings.twilio_account_sid
        self._service = settings.twilio_messaging_service
        self._base = settings.twilio_url.rstrip("/")
        super().__init__(Texting(settings, self.name))
        self._token_is_set = bool(settings.twilio_auth_token.get_secret_value())
        self._http = http
        pair = f"{self._sid}:{settings.twilio_auth_token.get_secret_value()}"
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    async def check(self) -> None:
        """Raise Misconfigured for a missing account, token or sender; makes no call."""
        require_url("TOCSIN_TWILIO_URL", self._base)
        if not self._sid:
            raise Misconfigured("TOCSIN_TWILIO_ACCOUNT_SID is not set.")
        if not self._sid.startswith("AC"):
            raise Misconfigured("TOCSIN_TWILIO_ACCOUNT_SID does not begin with AC.")
        if not self._token_is_set:
            raise Misconfigured("TOCSIN_TWILIO_AUTH_TOKEN is not set.")
        if self._service and not _SERVICE.fullmatch(self._service):
            raise Misconfigured("TOCSIN_TWILIO_MESSAGING_SERVICE is not MG and 32 hex digits.")
        self.texting.check(needs_sender=not self._service)

    async def send_text(self, delivery: Delivery, text: Text) -> Outcome:
        """The call for one message."""
        url = f"{self._base}/2010-04-01/Accounts/{self._sid}/Messages.json"
        body = urlencode(form_of(text, self._service)).encode()
        reply = await self._http.post(url, body, self._headers)
        return reply if isinstance(reply, Retry) else outcome_of(reply, text)


def form_of(text: Text, service: str = "") -> dict[str, str]:
    """The fields of the request for a message, whose sender the service chooses if there is one."""
    sender = {"MessagingServiceSid": service} if service else {"From": text.sender}
    form = {"To": text.to, **sender, "Body": text.body}
    # Twilio takes no metadata with a message, so what it is to hand back is in the callback.
    return form | {"StatusCallback": text.callback} if text.callback else form


def outcome_of(reply: Reply, text: Text) -> Outcome:
    """What Twilio's reply means."""
    success = reply.status < 300
    try:
        if success:
            return text.sent(msgspec.json.decode(reply.body, type=Accepted).sid)
        error = msgspec.json.decode(reply.body, type=Error)
    except UNDECODABLE:
        return failure_of(reply, None)
    said = f"{error.code}: {error.message}"
    if error.code in OUR_SETTINGS:
        # One wrong setting refuses everybody's messages: they wait until it is put right.
        return Retry(Reason.UNAUTHORIZED, said)
    elif error.code == QUEUE_IS_FULL:
        # Whatever the HTTP status: by and by there is room for it again.
        return Retry(Reason.THROTTLED, said, reply.retry_after)
    elif error.code == UNSUBSCRIBED:
        return Refused(Reason.UNREGISTERED, said)
    elif error.code in BAD_NUMBER:
        return Refused(Reason.INVALID_ADDRESS, said)
    return failure_of(reply, said)
