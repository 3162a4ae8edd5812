"""E-mail by Postmark's batch endpoint: up to 500 mails a call, each with an answer of its own."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct, field

from pipeline.secret_file import Derived
from pipeline.settings import Settings
from policy.contact.address import BARE
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE
from schemas.errors import Misconfigured
from schemas.foreign import read_foreign
from schemas.vocabulary import Channel, Priority, Reason
from sinks.email.batch_delay import LINGER
from sinks.email.return_path import ReturnPath
from sinks.email.senders import Senders, as_own
from sinks.http.client import HttpClient, Reply, failure_of, is_too_large, require_url, unreadable
from sinks.provider import OneServer, Outcome, PermanentFailure, Sent, TransientFailure

MOST_BYTES = 50_000_000
"""Of a batch (postmarkapp.com/developer/api/email-api)."""
MOST_METADATA = 80
"""Characters of one metadata value."""

# https://postmarkapp.com/developer/api/overview#error-codes
INACTIVE = 406
INVALID = 300
CONFIGURATION_ERRORS = frozenset({10, 400, 401, 402, 403, 405, 412, 413, 1235})
"""Token, sender, stream or account: no fault of the recipient's."""


class Header(Struct, frozen=True, rename="pascal"):
    """One header of a mail."""

    name: str
    value: str


class Mail(Struct, frozen=True, rename="pascal", omit_defaults=True):
    """One mail of a batch."""

    from_: str = field(name="From")
    to: str
    subject: str
    text_body: str
    message_stream: str
    tag: str
    metadata: dict[str, str]
    html_body: str = ""
    headers: tuple[Header, ...] = ()
    reply_to: str = ""


class Answer(Struct, frozen=True, rename="pascal"):
    """What Postmark says of one mail, or of a whole call; 0 is no error."""

    error_code: int
    message: str = ""
    message_id: str = field(name="MessageID", default="")


class Postmark(OneServer):
    """Sends mail by one server token on one message stream."""

    name = "postmark"
    channel = Channel.EMAIL
    scheme = BARE
    batch_size = 500

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._base = settings.postmark_url.rstrip("/")
        self._senders = Senders(settings)
        self._stream = settings.postmark_stream
        self._way_back = ReturnPath(settings)
        self._http = http
        self._headers = Derived(
            settings,
            "postmark_server_token",
            lambda token: {
                "X-Postmark-Server-Token": token,
                "Accept": "application/json",
                "Content-Type": "application/json",
            },
        )
        self._encoder = msgspec.json.Encoder()

    def linger(self, priority: Priority) -> float:
        """The less urgent, the longer: full calls are cheap calls."""
        return LINGER[priority]

    async def check(self) -> None:
        """Raise Misconfigured for a missing token or sender; makes no call."""
        require_url("TOCSIN_POSTMARK_URL", self._base)
        if not self._headers.is_set:
            raise Misconfigured("TOCSIN_POSTMARK_SERVER_TOKEN is not set.")
        self._senders.check()

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """One call, or some more where mails are too large for one; see Provider.send."""
        mails = [self._encoder.encode(self.mail_of(delivery)) for delivery in deliveries]
        outcomes = await self._send_mails(mails)
        return [as_own(*each) for each in zip(outcomes, deliveries, strict=True)]

    async def _send_mails(self, mails: list[bytes]) -> list[Outcome]:
        body = b"[" + b",".join(mails) + b"]"
        if len(body) <= MOST_BYTES or len(mails) == 1:
            headers = self._headers.get()
            reply = await self._http.post(f"{self._base}/email/batch", body, headers)
            if not is_too_large(reply) or len(mails) == 1:
                if isinstance(reply, TransientFailure):
                    return [reply] * len(mails)
                return list(outcomes_of(reply, len(mails)))
        middle = len(mails) // 2
        return await self._send_mails(mails[:middle]) + await self._send_mails(mails[middle:])

    async def close(self) -> None:
        """The connections are the shared client's, whose owner closes it."""

    def mail_of(self, delivery: Delivery) -> Mail:
        """The mail for a delivery."""
        content = delivery.content
        headers, sender = self._way_back.headers(delivery), self._senders.of(delivery)
        return Mail(
            from_=sender.text,
            to=delivery.address,
            subject=content.title,
            text_body=content.body,
            html_body=content.html,
            message_stream=self._stream,
            tag=delivery.type,
            metadata=self._way_back.marks(delivery, MOST_METADATA),
            headers=tuple(Header(*header) for header in headers.items()),
            reply_to=sender.reply_to,
        )


def outcomes_of(reply: Reply, count: int) -> Sequence[Outcome]:
    """What Postmark's reply to so many mails means, one outcome each."""
    try:
        if reply.status == 200:
            answers = msgspec.json.decode(reply.body, type=list[msgspec.Raw])
            if len(answers) == count:
                return [_outcome(bytes(answer), reply) for answer in answers]
            return [unreadable(reply)] * count
        said = read_foreign(reply.body, Answer)
    except UNDECODABLE:
        return [failure_of(reply, None)] * count
    detail = f"{said.error_code}: {said.message}"
    if said.error_code in CONFIGURATION_ERRORS:
        return [TransientFailure(Reason.UNAUTHORIZED, detail)] * count
    return [failure_of(reply, detail)] * count


def _outcome(body: bytes, reply: Reply) -> Outcome:
    """What an answer means; one that can't be read says nothing of the others."""
    try:
        answer = read_foreign(body, Answer)
    except UNDECODABLE:
        return unreadable(reply)
    if not answer.error_code:
        return Sent(answer.message_id)
    detail = f"{answer.error_code}: {answer.message}"
    if answer.error_code in CONFIGURATION_ERRORS or "'From'" in answer.message:
        # A setting of ours: refusing the mail for it would lose everybody's.
        return TransientFailure(Reason.UNAUTHORIZED, detail)
    elif answer.error_code == INACTIVE:
        return PermanentFailure(Reason.UNREGISTERED, detail)
    elif answer.error_code == INVALID and "'To'" in answer.message:
        return PermanentFailure(Reason.INVALID_ADDRESS, detail)
    return PermanentFailure(Reason.REJECTED, detail)
