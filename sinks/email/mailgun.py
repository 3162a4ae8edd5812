"""E-mail by Mailgun's Messages: one call carries up to a thousand people's mail."""

import asyncio
import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pipeline.basic_auth import basic
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
from sinks.form import multipart
from sinks.http.client import (
    HttpClient,
    Reply,
    failure_of,
    is_too_large,
    require_url,
    retry_after,
    unreadable,
)
from sinks.provider import OneServer, Outcome, PermanentFailure, Sent, TransientFailure

CALLS_AT_ONCE = 4
"""Of one batch, in which somebody's address is refused."""
MOST_BYTES = 25_000_000
"""Of a request, as of a message (documentation.mailgun.com, "Sending Messages")."""
MOST_TAG = 128
"""Characters of a tag (documentation.mailgun.com, "Tagging")."""
UNSUBSCRIBE = "unsubscribe"
"""A recipient's value that stands in a header, and is not handed back with reports."""
TAG = "%recipient"
"""What stands for a recipient's own value; a text that holds it by itself goes alone."""


_AGAIN = re.compile(r"try again after (.+)", re.IGNORECASE)


class Said(Struct, frozen=True):
    """The body of a reply; `id` is there where the mail was taken."""

    message: str
    id: str = ""


class Mailgun(OneServer):
    """Sends mail for one domain."""

    name = "mailgun"
    channel = Channel.EMAIL
    scheme = BARE
    batch_size = 1000

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._base = settings.mailgun_url.rstrip("/")
        self._domain = settings.mailgun_domain
        self._senders = Senders(settings)
        self._way_back = ReturnPath(settings)
        self._http = http
        self._authorization = Derived(settings, "mailgun_api_key", lambda key: basic("api", key))

    def linger(self, priority: Priority) -> float:
        """The less urgent, the longer: full calls are cheap calls."""
        return LINGER[priority]

    async def check(self) -> None:
        """Raise Misconfigured for a missing key, domain or sender; makes no call."""
        require_url("TOCSIN_MAILGUN_URL", self._base)
        if not self._authorization.is_set:
            raise Misconfigured("TOCSIN_MAILGUN_API_KEY is not set.")
        if not self._domain:
            raise Misconfigured("TOCSIN_MAILGUN_DOMAIN is not set.")
        self._senders.check()

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """One call, or some more where mails can't share one; see Provider.send.

        Mailgun takes a call whole or not at all and names nobody, so a call that it refuses is
        halved until it is known whose fault that is, and one that is too large until it fits.
        """
        outcomes: dict[int, Outcome] = {}
        calls = asyncio.Semaphore(CALLS_AT_ONCE)
        for group in groups_of(deliveries):
            found = await self._send_group([deliveries[index] for index in group], calls)
            outcomes.update(zip(group, found, strict=True))
        return [as_own(outcomes[index], each) for index, each in enumerate(deliveries)]

    async def close(self) -> None:
        """The connections are the shared client's, whose owner closes it."""

    async def _send_group(
        self, deliveries: list[Delivery], calls: asyncio.Semaphore
    ) -> list[Outcome]:
        body, content_type = multipart(self.form_of(deliveries))
        if len(body) <= MOST_BYTES or len(deliveries) == 1:
            async with calls:
                reply = await self._call(body, content_type)
            outcome = reply if isinstance(reply, TransientFailure) else outcome_of(reply)
            is_shared = isinstance(outcome, PermanentFailure) or is_too_large(reply)
            if not is_shared or len(deliveries) == 1:
                return [outcome] * len(deliveries)
        middle = len(deliveries) // 2
        # At the same time: who is in the other half waits for nobody's bad address in this one.
        halves = deliveries[:middle], deliveries[middle:]
        first, second = await asyncio.gather(*(self._send_group(half, calls) for half in halves))
        return first + second

    async def _call(self, body: bytes, content_type: str) -> Reply | TransientFailure:
        url = f"{self._base}/v3/{self._domain}/messages"
        headers = {"Authorization": self._authorization.get(), "Content-Type": content_type}
        return await self._http.post(url, body, headers)

    def form_of(self, deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
        """The fields of the request for deliveries that fit together."""
        first = deliveries[0]
        sender = self._senders.of(first)
        form = [("from", sender.text), *(("to", delivery.address) for delivery in deliveries)]
        values = {delivery.address: self._values(delivery) for delivery in deliveries}
        if len(deliveries) == 1:
            written = values[first.address]
        else:
            written = {name: f"{TAG}.{name}%" for name in values[first.address]}
            form.append(("recipient-variables", msgspec.json.encode(values).decode()))
        headers = self._way_back.headers_with(written.pop(UNSUBSCRIBE, ""))
        named = {"subject": "subject", "text": "text", "html": "html"}
        for name, value in written.items():
            form.append((named.get(name, f"v:{name}"), value))
        form += [(f"h:{name}", value) for name, value in headers.items()]
        form.append(("h:Reply-To", sender.reply_to))
        form += [("o:tag", name[:MOST_TAG]) for name in (first.type, first.category)]
        return [(name, value) for name, value in form if value]

    def _values(self, delivery: Delivery) -> dict[str, str]:
        content = delivery.content
        values = {"subject": content.title, "text": content.body}
        if content.html:
            values["html"] = content.html
        if ticket := self._way_back.unsubscribe_ticket(delivery):
            values[UNSUBSCRIBE] = ticket
        return values | self._way_back.marks(delivery)


def groups_of(deliveries: Sequence[Delivery]) -> list[list[int]]:
    """Which deliveries, by index, can share a call.

    Those of one type and sender, with the same parts, each address once; what holds Mailgun's own
    tags goes alone, where they stand for nothing.
    """
    groups: dict[object, list[int]] = {}
    times: dict[str, int] = {}
    for index, delivery in enumerate(deliveries):
        content = delivery.content
        if TAG in content.title or TAG in content.body or TAG in content.html:
            groups[index] = [index]
            continue
        earlier = times[delivery.address] = times.get(delivery.address, -1) + 1
        parts = bool(content.html), bool(content.title), delivery.transactional, delivery.sender
        kind = (delivery.type, delivery.category, *parts, earlier)
        groups.setdefault(kind, []).append(index)
    return list(groups.values())


def outcome_of(reply: Reply) -> Outcome:
    """What Mailgun's reply to a call means."""
    try:
        said = read_foreign(reply.body, Said)
    except UNDECODABLE:
        return failure_of(reply, None)
    about = said.message.lstrip("'")  # it put the names of parameters in quotation marks for years
    if reply.status == 200:
        return Sent(said.id) if said.id else unreadable(reply)
    elif reply.status in (402, 404) or (reply.status == 400 and about.startswith("from")):
        # Account, domain or sender are settings: refusing mails for them would lose everybody's.
        return TransientFailure(Reason.UNAUTHORIZED, said.message)
    elif reply.status == 400 and about.startswith(("to ", "to' ")):
        return PermanentFailure(Reason.INVALID_ADDRESS, said.message)
    failed = failure_of(reply, said.message)
    if isinstance(failed, TransientFailure) and (until := _AGAIN.search(said.message)):
        # It tells in words alone when its limit of recipients ends.
        return replace(failed, after=retry_after(until[1], reply.at) or failed.after)
    return failed
