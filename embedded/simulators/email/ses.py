"""Amazon SES, version 2: `POST /v2/email/outbound-emails`."""

import re
import secrets

import msgspec
from aiohttp import web
from msgspec import Struct

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.aws import AwsAccount
from embedded.simulators.email.sendgrid_mail import ADDRESS
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")
MOST_TAGS = 50
LINE_BREAK = re.compile(r"[\r\n]")

# HTTP status: (SES's error, message), as Amazon documents them.
ERRORS = {
    400: ("MessageRejected", "Email rejected."),
    401: ("UnrecognizedClientException", "The security token included in the request is invalid."),
    403: ("AccessDeniedException", "User is not authorized to perform: ses:SendEmail"),
    404: ("NotFoundException", "Configuration set does not exist."),
    413: ("BadRequestException", "Request is too large."),
    429: ("TooManyRequestsException", "Maximum sending rate exceeded."),
    500: ("InternalServiceErrorException", "Internal failure."),
    503: ("ServiceUnavailableException", "Service is temporarily unavailable."),
}


class Text(Struct, rename="pascal", forbid_unknown_fields=True):
    """A text and its encoding."""

    data: str
    charset: str = "UTF-8"


class Body(Struct, rename="pascal", forbid_unknown_fields=True):
    """The parts of a mail."""

    text: Text | None = None
    html: Text | None = None


class Header(Struct, rename="pascal", forbid_unknown_fields=True):
    """A header, or a tag."""

    name: str
    value: str


class Simple(Struct, rename="pascal", forbid_unknown_fields=True):
    """A mail that SES puts together."""

    subject: Text
    body: Body
    headers: list[Header] = []


class Content(Struct, rename="pascal", forbid_unknown_fields=True):
    """What is sent."""

    simple: Simple


class Destination(Struct, rename="pascal", forbid_unknown_fields=True):
    """To whom."""

    to_addresses: list[str]


class Mail(Struct, rename="pascal", forbid_unknown_fields=True):
    """The body of a request."""

    content: Content
    destination: Destination
    from_email_address: str = ""
    email_tags: list[Header] = []
    configuration_set_name: str = ""


class SesSimulator:
    """Accepts mail for one account."""

    name = "ses"

    def __init__(self, account: AwsAccount, log: AcceptLog, faults: Faults) -> None:
        self._account = account
        self._log = log
        self._faults = faults
        self._decoder = msgspec.json.Decoder(Mail)

    async def send(self, request: web.Request) -> web.Response:
        """Check the signature, then the mail; accept what passes."""
        body = await request.read()
        if problem := self._account.problem_of(request, body, self.name):
            return _error(403, problem, "The request is not signed as it should be.")
        try:
            mail = self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            return _error(400, "BadRequestException", str(error))
        if refused := problem_of(mail):
            return _error(400, *refused)
        if self._faults.is_dead(self.name, mail.destination.to_addresses[0]):
            return _error(400, "MessageRejected", "Address is on the suppression list.")
        return self._accept(mail)

    def _accept(self, mail: Mail) -> web.Response:
        tags = {tag.name: tag.value for tag in mail.email_tags}
        simple = mail.content.simple
        text = simple.body.text or simple.body.html
        reference = f"{secrets.token_hex(8)}-{secrets.token_hex(4)}-000000"
        accepted = Accepted(
            at=now(),
            provider=self.name,
            channel=Channel.EMAIL,
            notification_id=tags.get("notification_id", ""),
            delivery_id=tags.get("delivery_id", ""),
            address=mail.destination.to_addresses[0],
            title=simple.subject.data,
            digest=digest_of(text.data if text else ""),
            reference=reference,
        )
        html = simple.body.html
        self._log.append((self._log.with_mail(accepted, html.data if html else ""),))
        return json_reply({"MessageId": reference})


def problem_of(mail: Mail) -> tuple[str, str] | None:
    """SES's error and message for the first thing that it refuses in the mail."""
    if not ADDRESS.fullmatch(mail.from_email_address):
        return "MessageRejected", f"Email address is not verified: {mail.from_email_address}"
    addresses = mail.destination.to_addresses
    if not addresses:
        return "BadRequestException", "Missing required destination."
    for address in addresses:
        if not ADDRESS.fullmatch(address):
            return "BadRequestException", "Missing final '@domain'"
    if mail.content.simple.body.text is None and mail.content.simple.body.html is None:
        return "BadRequestException", "The body is missing."
    if len(mail.email_tags) > MOST_TAGS:
        return "BadRequestException", "Too many tags."
    for tag in mail.email_tags:
        if not (TAG.fullmatch(tag.name) and TAG.fullmatch(tag.value)):
            return "BadRequestException", f"Invalid tag <{tag.name}>."
    if any(LINE_BREAK.search(each.name + each.value) for each in mail.content.simple.headers):
        return "BadRequestException", "A header holds a line break."
    return None


def refuse(status: int) -> web.Response:
    """SES's error with this HTTP status."""
    return _error(status, *ERRORS.get(status, ERRORS[500]))


def _error(status: int, kind: str, message: str) -> web.Response:
    response = json_reply({"message": message}, status)
    response.headers["x-amzn-ErrorType"] = kind
    return response
