"""Twilio's Messages resource: the account, the call, and what its replies mean."""

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from pipeline.basic_auth import basic
from pipeline.secret_file import Derived
from pipeline.settings import Settings
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.vocabulary import Reason
from sinks.form import encoded
from sinks.http.client import HttpClient, Reply, failure_of, require_url
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure

# By the dictionary at https://www.twilio.com/docs/api/errors: what is wrong with whose number.
BAD_NUMBER = frozenset({21211, 21214, 21217, 21265, 21266, 21268, 21604, 21614, 21635, 63003})
UNREACHED = frozenset({21408, 21612, 21662})
"""Our account does not reach just that number, which we may change: its country is not enabled, or
no carrier leads there from our sender or from the region."""
NOT_YET = frozenset({21219, 21608, 63014, 63015, 63024, 63033})
"""A number that is not served as it is: a trial account has not verified it, it has not joined
WhatsApp's sandbox or accepted its newest terms, or its owner has blocked us there."""
UNSUBSCRIBED = 21610
TOO_MUCH = frozenset({21611, 63017, 63018, 63038})
"""The queue is full, or the channel's limit or the day's is reached: by and by there is room."""
OUR_SETTINGS = frozenset(
    {10001, 20003, 20005, 20404, 21212, 21264, 21267, 21601, 21603, 21606, 21607, 21609, 21616}
    | {21657, 21659, 21660, 21661, 21663, 21668, 21701, 21702, 21703, 21704, 21705, 21709, 21910}
    | {63001, 63002, 63007, 63008, 63020, 63022, 63051}
)
"""The account and its credentials, the sender, or the Messaging Service that is to choose one; of
WhatsApp also the business account there."""
CHANNEL_FAILED = frozenset({21730, 63009, 63010, 63012, 63023})
"""WhatsApp itself, Twilio's way to it, or maintenance."""
_SERVICE = re.compile(r"MG[0-9a-f]{32}")


class Accepted(Struct, frozen=True):
    """Twilio's reply to a message that it took."""

    sid: str


class Error(Struct, frozen=True):
    """The body of a reply that is no success."""

    code: int
    message: str = ""


class TwilioAccount:
    """One account, and the Messaging Service that chooses its senders, if there is one."""

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self.service = settings.twilio_messaging_service
        self._sid = settings.twilio_account_sid
        self._base = settings.twilio_url.rstrip("/")
        self._http = http
        self._headers = Derived(
            settings,
            "twilio_auth_token",
            lambda token: {
                "Authorization": basic(settings.twilio_account_sid, token),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )

    def check(self) -> None:
        """Raise Misconfigured for a missing account or token, or a service that is none."""
        require_url("TOCSIN_TWILIO_URL", self._base)
        if not self._sid:
            raise Misconfigured("TOCSIN_TWILIO_ACCOUNT_SID is not set.")
        if not self._sid.startswith("AC"):
            raise Misconfigured("TOCSIN_TWILIO_ACCOUNT_SID does not begin with AC.")
        if not self._headers.is_set:
            raise Misconfigured("TOCSIN_TWILIO_AUTH_TOKEN is not set.")
        if self.service and not _SERVICE.fullmatch(self.service):
            raise Misconfigured("TOCSIN_TWILIO_MESSAGING_SERVICE is not MG and 32 hex digits.")

    async def post(self, form: Mapping[str, str]) -> Reply | TransientFailure:
        """The call for one message."""
        url = f"{self._base}/2010-04-01/Accounts/{self._sid}/Messages.json"
        return await self._http.post(url, encoded(form), self._headers.get())


def outcome_of(reply: Reply, sent: Callable[[str], Sent]) -> Outcome:
    """What Twilio's reply means; `sent` makes the outcome of a message that it took."""
    success = reply.status < 300
    try:
        if success:
            return sent(read_foreign(reply.body, Accepted).sid)
        error = read_foreign(reply.body, Error)
    except UNDECODABLE:
        return failure_of(reply, None)
    said = f"{error.code}: {error.message}"
    if error.code in OUR_SETTINGS:
        # One wrong setting refuses everybody's messages: they wait until it is put right.
        return TransientFailure(Reason.UNAUTHORIZED, said)
    elif error.code in TOO_MUCH:
        # Whatever the HTTP status.
        return TransientFailure(Reason.THROTTLED, said, reply.retry_after)
    elif error.code in CHANNEL_FAILED and reply.status < 500:
        return TransientFailure(Reason.PROVIDER_ERROR, said, reply.retry_after)
    elif error.code == UNSUBSCRIBED:
        return PermanentFailure(Reason.UNREGISTERED, said)
    elif error.code in UNREACHED:
        return PermanentFailure(Reason.INVALID_ADDRESS, said, lasting=False)
    elif error.code in NOT_YET:
        return PermanentFailure(Reason.UNREGISTERED, said, lasting=False)
    elif error.code in BAD_NUMBER:
        return PermanentFailure(Reason.INVALID_ADDRESS, said)
    return failure_of(reply, said)
