"""Mailgun's Messages: `POST /v3/{domain}/messages`."""

import base64
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.email.mailbox import address_of, addresses_of
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

MOST_RECIPIENTS = 1000
MOST_TAG = 128
"""Characters (documentation.mailgun.com, "Tagging")."""
MOST_BYTES = 25 << 20
"""Of a message (documentation.mailgun.com, "Sending Messages": 25 MB)."""
RECIPIENTS = ("to", "cc", "bcc")
INVALID = "{} parameter is not a valid address. please check documentation"
VARIABLE = re.compile(r"%recipient\.([A-Za-z0-9_-]+)%")
BOUNDARY = re.compile(r'boundary="?([^";]+)')
FIELD = re.compile(rb';\s*name="?([^";]+)', re.IGNORECASE)
LINE_BREAK = re.compile(r"[\r\n]")

Form = list[tuple[str, str]]

# HTTP status: message, as Mailgun words them.
ERRORS = {
    400: "Bad request",
    401: "Invalid private key",
    403: "Forbidden",
    404: "Domain not found",
    413: "Request Entity Too Large",
    429: "Too many requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class MailgunSimulator:
    """Accepts mail for one domain."""

    name = "mailgun"

    def __init__(self, domain: str, key: str, log: AcceptLog, faults: Faults) -> None:
        self._domain = domain
        self._authorization = b"Basic " + base64.b64encode(f"api:{key}".encode())
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request) -> web.Response:
        """Check the key, then the form; accept what passes for all of its recipients."""
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            # In plain text, unlike all its other answers.
            return web.Response(status=401, text="Forbidden")
        if request.match_info["domain"] != self._domain:
            return _said(404, f"Domain not found: {request.match_info['domain']}")
        if len(await request.read()) > MOST_BYTES:
            return refuse(413)
        form = await _form_of(request)
        if problem := problem_of(form):
            return _said(400, problem)
        recipients = _recipients(form) or []
        if any(self._faults.is_dead(self.name, recipient) for recipient in recipients):
            return _said(400, INVALID.format("to"))
        return self._accept(form, recipients)

    def _accept(self, form: Form, recipients: list[str]) -> web.Response:
        reference = f"<{secrets.token_hex(12)}@{self._domain}>"
        fields = dict(form)
        own = msgspec.json.decode(
            fields.get("recipient-variables", "{}"), type=dict[str, dict[str, str]]
        )
        self._log.append(
            self._accepted(fields, recipient, own.get(recipient, {}), reference)
            for recipient in recipients
        )
        return json_reply({"id": reference, "message": "Queued. Thank you."})

    def _accepted(
        self, fields: Mapping[str, str], recipient: str, own: Mapping[str, str], reference: str
    ) -> Accepted:
        def filled(name: str) -> str:
            value = fields.get(name, "")
            return VARIABLE.sub(lambda match: own.get(match[1], match[0]), value) if own else value

        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.EMAIL,
            notification_id=filled("v:notification_id"),
            delivery_id=filled("v:delivery_id"),
            address=recipient,
            title=filled("subject"),
            digest=digest_of(filled("text") or filled("html")),
            reference=reference,
        )
        return self._log.with_mail(accepted, filled("html"))


def problem_of(form: Form) -> str | None:
    """Mailgun's words for the first thing that it refuses in the form."""
    fields, recipients = dict(form), _recipients(form)
    for name in ("from", "to"):
        if not fields.get(name):
            return f"{name} parameter is missing"
    if address_of(fields["from"]) is None:
        return INVALID.format("from")
    if recipients is None:
        return INVALID.format(next(n for n in RECIPIENTS if _addresses(form, n) is None))
    if len(recipients) > MOST_RECIPIENTS:
        return f"too many recipients: {len(recipients)}"
    if not (fields.get("text") or fields.get("html")):
        return "Need at least one of 'text' or 'html' parameters specified"
    if len(_addresses(form, "to") or []) > 1 and "recipient-variables" not in fields:
        return "recipient-variables parameter is missing"
    if any(name.startswith("h:") and LINE_BREAK.search(value) for name, value in form):
        return "a header holds a line break"
    if any(name == "o:tag" and len(value) > MOST_TAG for name, value in form):
        return "a tag is too long"
    return None


def refuse(status: int) -> web.Response:
    """Mailgun's error with this HTTP status."""
    return _said(status, ERRORS.get(status, ERRORS[500]))


async def _form_of(request: web.Request) -> Form:
    body = await request.read()
    if request.content_type == "multipart/form-data":
        return list(_fields_of(body, request.headers["Content-Type"]))
    return parse_qsl(body.decode(), keep_blank_values=True)


def _fields_of(body: bytes, content_type: str) -> Iterator[tuple[str, str]]:
    """The fields of multipart/form-data, of which a call of a thousand mails has thousands.

    Not by the standard library, which takes 25 ms for a hundred mails, nor by aiohttp, whose form
    can't be had once the body was read.
    """
    boundary = BOUNDARY.search(content_type)
    if boundary is None:
        return
    _, *parts, _ = (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())
    for part in parts:
        head, _, value = part.partition(b"\r\n\r\n")
        if name := FIELD.search(head):
            yield name[1].decode(), value.decode()


def _recipients(form: Form) -> list[str] | None:
    """All bare addresses; None where one is none."""
    found: list[str] = []
    for name in RECIPIENTS:
        addresses = _addresses(form, name)
        if addresses is None:
            return None
        found += addresses
    return found


def _addresses(form: Form, name: str) -> list[str] | None:
    found: list[str] = []
    for value in (value for field, value in form if field == name and value):
        addresses = addresses_of(value)
        if addresses is None:
            return None
        found += addresses
    return found


def _said(status: int, message: str) -> web.Response:
    return json_reply({"message": message}, status)
