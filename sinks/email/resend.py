"""E-mail by Resend's batch endpoint: up to 100 mails a call, each judged by itself."""

from collections.abc import Sequence
from hashlib import blake2b

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

MOST_TAG = 256
"""Characters of a tag's value (resend.com/docs/api-reference/emails/send-email)."""

# https://resend.com/docs/api-reference/errors, by name.
CONFIGURATION_ERRORS = frozenset(
    {
        "daily_quota_exceeded",
        "invalid_access",
        "invalid_api_key",
        "invalid_from_address",
        "invalid_region",
        "missing_api_key",
        "monthly_quota_exceeded",
        "not_found",
        "restricted_api_key",
        "security_error",
    }
)
"""Key, sender, domain or account: no fault of the recipient's."""
IN_PROGRESS = "concurrent_idempotent_requests"
QUOTAS = {"daily_quota_exceeded": 3600.0, "monthly_quota_exceeded": 3600.0}
"""Seconds until it is asked again: a quota ends at an hour that it does not tell."""


class Tag(Struct, frozen=True):
    """What comes back with reports."""

    name: str
    value: str


class Mail(Struct, frozen=True, omit_defaults=True):
    """One mail of a batch."""

    from_: str = field(name="from")
    to: tuple[str, ...]
    subject: str
    tags: tuple[Tag, ...]
    text: str = ""
    html: str = ""
    headers: dict[str, str] = {}
    reply_to: tuple[str, ...] = ()


class Taken(Struct, frozen=True):
    """A mail that it took."""

    id: str = ""


class Problem(Struct, frozen=True):
    """Why it did not take the mail at this place of the batch."""

    index: int
    message: str = ""


class Answer(Struct, frozen=True):
    """What came of a batch: those that were taken in their order, and the others by place."""

    data: tuple[Taken, ...]
    errors: tuple[Problem, ...] = ()


class Error(Struct, frozen=True):
    """Why a whole call was refused."""

    name: str
    message: str = ""


class Resend(OneServer):
    """Sends mail by one API key."""

    name = "resend"
    channel = Channel.EMAIL
    scheme = BARE
    batch_size = 100

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._base = settings.resend_url.rstrip("/")
        self._senders = Senders(settings)
        self._way_back = ReturnPath(settings)
        self._http = http
        self._headers = Derived(
            settings,
            "resend_api_key",
            lambda key: {
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                # One mail that is refused then costs no other.
                "x-batch-validation": "permissive",
            },
        )
        self._encoder = msgspec.json.Encoder()

    def linger(self, priority: Priority) -> float:
        """The less urgent, the longer: full calls are cheap calls, and few may be made a second."""
        return LINGER[priority]

    async def check(self) -> None:
        """Raise Misconfigured for a missing key or sender; makes no call."""
        require_url("TOCSIN_RESEND_URL", self._base)
        if not self._headers.is_set:
            raise Misconfigured("TOCSIN_RESEND_API_KEY is not set.")
        self._senders.check()

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """One call, or some more where mails are too large for one; see Provider.send.

        A call whose reply got lost is made once more under the same key, by which Resend knows it:
        it is taken once, and mostly it is then known whether it was.
        """
        outcomes = await self._send_mails([self.mail_of(delivery) for delivery in deliveries])
        return [as_own(*each) for each in zip(outcomes, deliveries, strict=True)]

    async def close(self) -> None:
        """The connections are the shared client's, whose owner closes it."""

    async def _send_mails(self, mails: list[Mail]) -> list[Outcome]:
        reply = await self._call(self._encoder.encode(mails))
        if is_too_large(reply) and len(mails) > 1:
            middle = len(mails) // 2
            return await self._send_mails(mails[:middle]) + await self._send_mails(mails[middle:])
        if isinstance(reply, TransientFailure):
            return [reply] * len(mails)
        return list(outcomes_of(reply, len(mails)))

    async def _call(self, body: bytes) -> Reply | TransientFailure:
        # By what is sent: another body under the same key would be refused.
        once = blake2b(body, digest_size=32).hexdigest()
        headers = {**self._headers.get(), "Idempotency-Key": once}
        url = f"{self._base}/emails/batch"
        reply = await self._http.post(url, body, headers)
        if (
            isinstance(reply, TransientFailure)
            and reply.uncertain
            and reply.reason is Reason.UNREACHABLE
        ):
            again = await self._http.post(url, body, headers)
            # What can't be asked now leaves open what came of the first call.
            return reply if isinstance(again, TransientFailure) else again
        return reply

    def mail_of(self, delivery: Delivery) -> Mail:
        """The mail for a delivery."""
        content, sender = delivery.content, self._senders.of(delivery)
        return Mail(
            from_=sender.text,
            to=(delivery.address,),
            subject=content.title,
            text=content.body,
            html=content.html,
            headers=self._way_back.headers(delivery),
            reply_to=(sender.reply_to,) if sender.reply_to else (),
            tags=tuple(Tag(*mark) for mark in self._way_back.marks(delivery, MOST_TAG).items()),
        )


def outcomes_of(reply: Reply, count: int) -> Sequence[Outcome]:
    """What Resend's reply to so many mails means, one outcome each."""
    try:
        if reply.status == 200:
            answer = read_foreign(reply.body, Answer)
            return _each(answer, count) or [unreadable(reply)] * count
        said = read_foreign(reply.body, Error)
    except UNDECODABLE:
        return [failure_of(reply, None)] * count
    return [_failure(reply, said)] * count


def _each(answer: Answer, count: int) -> list[Outcome] | None:
    """The outcomes in order; None where they are not those of so many mails."""
    refused = {problem.index: _refused(problem.message) for problem in answer.errors}
    places = [place for place in range(count) if place not in refused]
    if len(places) != len(answer.data) or len(refused) + len(places) != count:
        return None
    sent = dict(zip(places, (Sent(taken.id) for taken in answer.data), strict=True))
    return [refused.get(place) or sent[place] for place in range(count)]


def _refused(message: str) -> TransientFailure | PermanentFailure:
    if _is_ours(message):
        return TransientFailure(Reason.UNAUTHORIZED, message)
    elif "`to`" in message:
        return PermanentFailure(Reason.INVALID_ADDRESS, message)
    return PermanentFailure(Reason.REJECTED, message)


def _failure(reply: Reply, said: Error) -> TransientFailure | PermanentFailure:
    detail = f"{said.name}: {said.message}"
    if said.name in CONFIGURATION_ERRORS or _is_ours(said.message):
        # A setting of ours: refusing mails for it would lose everybody's.
        return TransientFailure(Reason.UNAUTHORIZED, detail, QUOTAS.get(said.name))
    elif said.name == IN_PROGRESS:
        return TransientFailure(Reason.PROVIDER_ERROR, detail, reply.retry_after, uncertain=True)
    return failure_of(reply, detail)


def _is_ours(message: str) -> bool:
    return "`from`" in message or "API key" in message or "domain is not verified" in message
