"""Postmark's batch endpoint: `POST /email/batch`."""

import hmac
import re
import secrets
from datetime import UTC, datetime

import msgspec
from aiohttp import web
from msgspec import Struct, field

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.email.mailbox import address_of, addresses_of
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

MOST_MAILS = 500
MOST_BYTES = 50 << 20
MOST_METADATA = 10
MOST_RECIPIENTS = 50
METADATA_NAME, METADATA_VALUE = 20, 80  # characters
LINE_BREAK = re.compile(r"[\r\n]")

# HTTP status: (Postmark's code, message), as Postmark documents them.
ERRORS = {
    400: (300, "Invalid email request"),
    401: (10, "Request does not contain a valid Server token."),
    403: (10, "Request does not contain a valid Server token."),
    404: (0, "Not Found"),
    413: (413, "Payload too large"),
    429: (429, "Rate limit exceeded"),
    500: (500, "Internal Server Error"),
    503: (100, "Maintenance"),
}


class Header(Struct, rename="pascal", forbid_unknown_fields=True):
    """One header."""

    name: str
    value: str


class Mail(Struct, rename="pascal", forbid_unknown_fields=True):
    """One mail of a batch."""

    from_: str = field(name="From", default="")
    to: str = ""
    subject: str = ""
    text_body: str = ""
    html_body: str = ""
    message_stream: str = "outbound"
    tag: str = ""
    metadata: dict[str, str] = {}
    headers: list[Header] = []
    cc: str | None = None
    bcc: str | None = None
    reply_to: str | None = None
    track_opens: bool | None = None
    track_links: str | None = None
    attachments: list[object] | None = None

    def recipients(self) -> list[str]:
        """The bare addresses of all who get the mail, openly or not."""
        fields = (self.to, self.cc or "", self.bcc or "")
        return [address for text in fields for address in addresses_of(text) or []]


class PostmarkSimulator:
    """Accepts mail for one server token."""

    name = "postmark"

    def __init__(self, token: str, log: AcceptLog, faults: Faults) -> None:
        self._token = token
        self._log = log
        self._faults = faults
        self._decoder = msgspec.json.Decoder(list[Mail])

    async def send(self, request: web.Request) -> web.Response:
        """Check the token, then each mail by itself; those that pass are accepted."""
        given = request.headers.get("X-Postmark-Server-Token", "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return refuse(401)
        body = await request.read()
        if len(body) > MOST_BYTES:
            return refuse(413)
        try:
            mails = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            return _error(422, 402, f"Invalid JSON: {error}")
        if len(mails) > MOST_MAILS:
            return _error(422, 410, f"Too many batch messages: {len(mails)}")
        at = now()
        accepted = []
        answers = []
        for mail in mails:
            problem = problem_of(mail) or self._inactive(mail)
            if problem is not None:
                answers.append({"ErrorCode": problem[0], "Message": problem[1]})
                continue
            reference = secrets.token_hex(16)
            accepted += [
                self._accepted(mail, recipient, at, reference) for recipient in mail.recipients()
            ]
            answers.append(_answer(mail, reference))
        self._log.append(accepted)
        return json_reply(answers)

    def _inactive(self, mail: Mail) -> tuple[int, str] | None:
        gone = [each for each in mail.recipients() if self._faults.is_dead(self.name, each)]
        if not gone:
            return None
        return 406, (
            "You tried to send to a recipient that has been marked as inactive. Found inactive "
            f"addresses: {', '.join(gone)}."
        )

    def _accepted(self, mail: Mail, address: str, at: float, reference: str) -> Accepted:
        accepted = Accepted(
            at=at,
            provider=self.name,
            channel=Channel.EMAIL,
            notification_id=mail.metadata.get("notification_id", ""),
            delivery_id=mail.metadata.get("delivery_id", ""),
            address=address,
            title=mail.subject,
            digest=digest_of(mail.text_body or mail.html_body),
            reference=reference,
        )
        return self._log.with_mail(accepted, mail.html_body)


def problem_of(mail: Mail) -> tuple[int, str] | None:
    """Postmark's code and message for the first thing that it refuses in the mail."""
    if address_of(mail.from_) is None:
        return 300, f"Invalid 'From' address: '{mail.from_}'."
    if not mail.to:
        return 300, "Zero recipients specified"
    for name, text in (("To", mail.to), ("Cc", mail.cc), ("Bcc", mail.bcc)):
        addresses = addresses_of(text) if text else []
        if addresses is None:
            return 300, f"Error parsing '{name}': Illegal email address '{text}'."
        if len(addresses) > MOST_RECIPIENTS:
            return 300, f"Error parsing '{name}': at most {MOST_RECIPIENTS} recipients."
    if not (mail.text_body or mail.html_body):
        return 300, "Provide either email TextBody or HtmlBody or both."
    if len(mail.metadata) > MOST_METADATA:
        return 300, f"Metadata: at most {MOST_METADATA} fields are allowed."
    for name, value in mail.metadata.items():
        if len(name) > METADATA_NAME or len(value) > METADATA_VALUE:
            return 300, f"Metadata: the field '{name}' is too long."
    if any(LINE_BREAK.search(header.name + header.value) for header in mail.headers):
        return 300, "A header holds a line break."
    return None


def refuse(status: int) -> web.Response:
    """Postmark's error with this HTTP status."""
    return _error(status, *ERRORS.get(status, (500, "Internal Server Error")))


def _answer(mail: Mail, reference: str) -> dict[str, object]:
    return {
        "ErrorCode": 0,
        "Message": "OK",
        "MessageID": reference,
        "SubmittedAt": datetime.now(UTC).isoformat(),
        "To": mail.to,
    }


def _error(status: int, code: int, message: str) -> web.Response:
    return json_reply({"ErrorCode": code, "Message": message}, status)
