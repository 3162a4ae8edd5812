"""What Amazon SES takes for a mail, and what it refuses in one."""

import re

from msgspec import Struct

from embedded.simulators.email.sendgrid_mail import ADDRESS

TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")
MOST_TAGS = 50
MOST_HEADER = 870
"""Characters of a header's value (docs.aws.amazon.com, API_MessageHeader)."""
LINE_BREAK = re.compile(r"[\r\n]")


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
    if any(len(each.value) > MOST_HEADER for each in mail.content.simple.headers):
        return "BadRequestException", "A header is too long."
    return None
