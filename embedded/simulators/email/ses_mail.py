"""What Amazon SES takes for a mail, and what it refuses in one."""

import re

from msgspec import Struct

from embedded.simulators.email.mailbox import address_of

TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")
MOST_TAGS = 50
MOST_RECIPIENTS = 50
MOST_HEADERS = 15
HEADER_NAME, HEADER_VALUE = re.compile(r"[!-9;-@A-~]{1,126}"), re.compile(r"[ -~]{0,870}")
"""docs.aws.amazon.com/ses/latest/APIReference-V2/API_MessageHeader.html"""


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

    to_addresses: list[str] = []
    cc_addresses: list[str] = []
    bcc_addresses: list[str] = []

    def recipients(self) -> list[str]:
        """The bare addresses of all who get the mail, openly or not."""
        return [address for text in self.written() if (address := address_of(text))]

    def written(self) -> list[str]:
        """All of them as they are written, with names."""
        return [*self.to_addresses, *self.cc_addresses, *self.bcc_addresses]


class Mail(Struct, rename="pascal", forbid_unknown_fields=True):
    """The body of a request."""

    content: Content
    destination: Destination
    from_email_address: str = ""
    reply_to_addresses: list[str] = []
    email_tags: list[Header] = []
    configuration_set_name: str = ""


def problem_of(mail: Mail) -> tuple[str, str] | None:
    """SES's error and message for the first thing that it refuses in the mail."""
    if address_of(mail.from_email_address) is None:
        return "MessageRejected", f"Email address is not verified: {mail.from_email_address}"
    written = mail.destination.written()
    if not written:
        return "BadRequestException", "Missing required destination."
    if len(written) > MOST_RECIPIENTS:
        return "BadRequestException", f"Recipient count exceeds {MOST_RECIPIENTS}."
    if any(address_of(text) is None for text in (*written, *mail.reply_to_addresses)):
        return "BadRequestException", "Missing final '@domain'"
    if mail.content.simple.body.text is None and mail.content.simple.body.html is None:
        return "BadRequestException", "The body is missing."
    if len(mail.email_tags) > MOST_TAGS:
        return "BadRequestException", "Too many tags."
    for tag in mail.email_tags:
        if not (TAG.fullmatch(tag.name) and TAG.fullmatch(tag.value)):
            return "BadRequestException", f"Invalid tag <{tag.name}>."
    headers = mail.content.simple.headers
    if len(headers) > MOST_HEADERS:
        return "BadRequestException", "Too many headers."
    for header in headers:
        if not (HEADER_NAME.fullmatch(header.name) and HEADER_VALUE.fullmatch(header.value)):
            return "BadRequestException", f"Invalid header <{header.name[:126]}>."
    return None
