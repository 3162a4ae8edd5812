"""Resend's batch endpoint: `POST /emails/batch`."""

import hmac
import re
import secrets

import msgspec
from aiohttp import web
from msgspec import Struct, field

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.email.mailbox import address_of
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

MOST_MAILS = 100
MOST_TAG = 256
KEYS_KEPT = 1000
TAG = re.compile(r"[A-Za-z0-9_-]+")
LINE_BREAK = re.compile(r"[\r\n]")
FORMAT = (
    "Invalid `{}` field. The email address needs to follow the `email@example.com` or "
    "`Name <email@example.com>` format."
)

# HTTP status: (name, message), as Resend documents them.
ERRORS = {
    400: ("validation_error", "We found an error with one or more fields in the request."),
    401: ("missing_api_key", "Missing API key in the authorization header."),
    403: ("invalid_api_key", "API key is invalid."),
    404: ("not_found", "The requested endpoint does not exist."),
    409: ("invalid_idempotent_request", "Same idempotency key used with a different payload."),
    413: ("validation_error", "The request is too large."),
    429: ("rate_limit_exceeded", "Too many requests."),
    500: ("application_error", "An unexpected error occurred."),
}


class Tag(Struct, forbid_unknown_fields=True):
    """A name and a value."""

    name: str
    value: str


class Mail(Struct, forbid_unknown_fields=True):
    """One mail of a batch; attachments and a time to send at are not taken there."""

    from_: str = field(name="from", default="")
    to: str | list[str] = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    cc: str | list[str] = []
    bcc: str | list[str] = []
    reply_to: str | list[str] = []
    headers: dict[str, str] = {}
    tags: list[Tag] = []

    def recipients(self) -> list[str]:
        """All who get the mail."""
        found: list[str] = []
        for each in (self.to, self.cc, self.bcc):
            found += [each] if isinstance(each, str) else each
        return [address for address in found if address]

    def tag(self, name: str) -> str:
        """The value of a tag."""
        return next((tag.value for tag in self.tags if tag.name == name), "")


class ResendSimulator:
    """Accepts mail for one API key, each call once."""

    name = "resend"

    def __init__(self, key: str, log: AcceptLog, faults: Faults) -> None:
        self._authorization = f"Bearer {key}".encode()
        self._log = log
        self._faults = faults
        self._decoder = msgspec.json.Decoder(list[Mail])
        self._answered: dict[str, tuple[bytes, object]] = {}

    async def send(self, request: web.Request) -> web.Response:
        """Check the key, then each mail by itself; those that pass are accepted."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self._authorization):
            return refuse(403 if given else 401)
        body, key = await request.read(), request.headers.get("Idempotency-Key", "")
        if key in self._answered:
            known, answer = self._answered[key]
            return json_reply(answer) if known == body else refuse(409)
        try:
            mails = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            return _error(422, "validation_error", str(error))
        if not 1 <= len(mails) <= MOST_MAILS:
            return _error(422, "validation_error", "The batch must hold between 1 and 100 emails.")
        is_strict = request.headers.get("x-batch-validation") != "permissive"
        return self._take(mails, body, key, is_strict=is_strict)

    def _take(self, mails: list[Mail], body: bytes, key: str, *, is_strict: bool) -> web.Response:
        problems = {
            place: said for place, mail in enumerate(mails) if (said := self._problem(mail))
        }
        if problems and is_strict:
            return _error(422, "validation_error", next(iter(problems.values())))
        accepted: list[Accepted] = []
        taken = []
        for place, mail in enumerate(mails):
            if place not in problems:
                taken.append({"id": secrets.token_hex(16)})
                accepted += self._accepted(mail, taken[-1]["id"])
        errors = [{"index": place, "message": said} for place, said in problems.items()]
        answer = {"data": taken} if is_strict else {"data": taken, "errors": errors}
        if key:
            self._answered[key] = body, answer
            if len(self._answered) > KEYS_KEPT:
                del self._answered[next(iter(self._answered))]
        self._log.append(accepted)
        return json_reply(answer)

    def _problem(self, mail: Mail) -> str | None:
        gone = any(self._faults.is_dead(self.name, each) for each in mail.recipients())
        return FORMAT.format("to") if gone else problem_of(mail)

    def _accepted(self, mail: Mail, reference: str) -> list[Accepted]:
        return [
            self._log.with_mail(
                Accepted(
                    at=now(),
                    provider=self.name,
                    channel=Channel.EMAIL,
                    notification_id=mail.tag("notification_id"),
                    delivery_id=mail.tag("delivery_id"),
                    address=recipient,
                    title=mail.subject,
                    digest=digest_of(mail.text or mail.html),
                    reference=reference,
                ),
                mail.html,
            )
            for recipient in mail.recipients()
        ]


def problem_of(mail: Mail) -> str | None:
    """Resend's words for the first thing that it refuses in the mail."""
    if address_of(mail.from_) is None:
        return FORMAT.format("from")
    if not mail.recipients() or any(address_of(each) is None for each in mail.recipients()):
        return FORMAT.format("to")
    if not (mail.text or mail.html):
        return "Missing `html` or `text` field."
    for tag in mail.tags:
        if not all(TAG.fullmatch(each) and len(each) <= MOST_TAG for each in (tag.name, tag.value)):
            return "Tags should only contain ASCII letters, numbers, underscores, or dashes."
    if any(LINE_BREAK.search(name + value) for name, value in mail.headers.items()):
        return "Invalid `headers` field."
    return None


def refuse(status: int) -> web.Response:
    """Resend's error with this HTTP status."""
    return _error(status, *ERRORS.get(status, ERRORS[500] if status >= 500 else ERRORS[400]))


def _error(status: int, name: str, message: str) -> web.Response:
    return json_reply({"statusCode": status, "name": name, "message": message}, status)
