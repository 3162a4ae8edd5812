"""E-mail by SendGrid's v3 Mail Send: one call carries up to a thousand people's mail."""

import asyncio
import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

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
from sinks.email.sendgrid_mail import Mail, groups_of, mail_of
from sinks.http.client import HttpClient, Reply, failure_of, is_too_large, require_url, unreadable
from sinks.provider import OneServer, Outcome, PermanentFailure, Sent, TransientFailure

CALLS_AT_ONCE = 4  # of one batch, whose oversized mails go alone
MOST_BYTES = 30_000_000
"""Of a request (docs.sendgrid.com, "Mail Send Limitations")."""
PERSONALIZATION = re.compile(r"personalizations\.(\d+)(?:\.(to)\b)?")


class Problem(Struct, frozen=True):
    """One thing that SendGrid refuses, and the dotted path of the field."""

    message: str
    field: str | None = None


class ErrorBody(Struct, frozen=True):
    """The body of a reply that is no success."""

    errors: tuple[Problem, ...]


class Blame(Struct, frozen=True):
    """A mail refused because of some of its deliveries, by index; the others may still go."""

    refused: dict[int, PermanentFailure]


class TooLarge(Struct, frozen=True):
    """A mail with too many bytes; a part of its deliveries may go, of one alone this is said."""

    outcome: Outcome


class SendGrid(OneServer):
    """Sends mail for one API key from one sender."""

    name = "sendgrid"
    channel = Channel.EMAIL
    scheme = BARE
    batch_size = 1000

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._base = settings.sendgrid_url.rstrip("/")
        self._senders = Senders(settings)
        self._way_back = ReturnPath(settings)
        self._http = http
        self._headers = Derived(
            settings,
            "sendgrid_api_key",
            lambda key: {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        self._encoder = msgspec.json.Encoder()

    def linger(self, priority: Priority) -> float:
        """The less urgent, the longer: full calls are cheap calls."""
        return LINGER[priority]

    async def check(self) -> None:
        """Raise Misconfigured for a missing key or sender; makes no call."""
        require_url("TOCSIN_SENDGRID_URL", self._base)
        if not self._headers.is_set:
            raise Misconfigured("TOCSIN_SENDGRID_API_KEY is not set.")
        self._senders.check()

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """One call, or some more where contents can't share one; see Provider.send.

        SendGrid takes a mail whole or not at all, so a mail refused for one person's sake is
        sent again without that person.
        """
        groups = groups_of(deliveries)
        calls = asyncio.Semaphore(CALLS_AT_ONCE)

        async def limited(group: list[int]) -> list[Outcome]:
            async with calls:
                return await self._send_mail([deliveries[index] for index in group])

        outcomes: dict[int, Outcome] = {}
        for group, results in zip(groups, await asyncio.gather(*map(limited, groups)), strict=True):
            outcomes.update(zip(group, results, strict=True))
        return [as_own(outcomes[index], each) for index, each in enumerate(deliveries)]

    def mail_of(self, deliveries: Sequence[Delivery]) -> Mail:
        """The mail for deliveries that fit together."""
        return mail_of(deliveries, self._senders.of(deliveries[0]), self._way_back)

    async def close(self) -> None:
        """The connections are the shared client's, whose owner closes it."""

    async def _send_mail(self, deliveries: list[Delivery]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        pending = list(range(len(deliveries)))
        while pending:
            rest = [deliveries[index] for index in pending]
            result = await self._call(rest)
            if isinstance(result, Blame):
                outcomes |= {pending[place]: refused for place, refused in result.refused.items()}
                pending = [index for index in pending if index not in outcomes]
                continue
            if isinstance(result, PermanentFailure | TooLarge) and len(rest) > 1:
                # Nobody was named: halves find out whose fault it is, or fit.
                middle = len(rest) // 2
                results = await self._send_mail(rest[:middle])
                results += await self._send_mail(rest[middle:])
            else:
                whole = result.outcome if isinstance(result, TooLarge) else result
                results = [whole] * len(rest)
            outcomes.update(zip(pending, results, strict=True))
            break
        return [outcomes[index] for index in range(len(deliveries))]

    async def _call(self, deliveries: list[Delivery]) -> Outcome | Blame | TooLarge:
        body = self._encoder.encode(self.mail_of(deliveries))
        if len(body) > MOST_BYTES and len(deliveries) > 1:
            return TooLarge(PermanentFailure(Reason.REJECTED, f"{len(body)} bytes"))
        reply = await self._http.post(f"{self._base}/v3/mail/send", body, self._headers.get())
        if isinstance(reply, TransientFailure):
            return reply
        outcome = outcome_of(reply, len(deliveries))
        if is_too_large(reply) and not isinstance(outcome, Blame):
            return TooLarge(outcome)
        return outcome


def outcome_of(reply: Reply, count: int) -> Outcome | Blame:
    """What SendGrid's reply to a mail for `count` people means."""
    if reply.status == 202:
        return Sent(reply.header("x-message-id") or "")
    elif reply.status < 400:
        return unreadable(reply)
    try:
        problems = read_foreign(reply.body, ErrorBody).errors
    except UNDECODABLE:
        return failure_of(reply, None)
    said = "; ".join(f"{p.field}: {p.message}" if p.field else p.message for p in problems)
    if reply.status == 400:
        if any((problem.field or "").startswith("from") for problem in problems):
            # The sender is a setting: refusing the mail for it would lose everybody's.
            return TransientFailure(Reason.UNAUTHORIZED, f"the sender is refused: {said}")
        if refused := _refused(problems, count):
            return Blame(refused)
    return failure_of(reply, said)


def _refused(problems: Sequence[Problem], count: int) -> dict[int, PermanentFailure]:
    refused: dict[int, PermanentFailure] = {}
    for problem in problems:
        match = PERSONALIZATION.match(problem.field or "")
        if match and int(match[1]) < count:
            reason = Reason.INVALID_ADDRESS if match[2] else Reason.REJECTED
            refused[int(match[1])] = PermanentFailure(reason, f"{problem.field}: {problem.message}")
    return refused
