"""Who a mail is from: what its type and tenant say, and the setting for all that they don't."""

import re

from msgspec import Struct
from msgspec.structs import replace

from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.errors import Misconfigured
from sinks.email.mime import mailbox_of, parsed_mailbox, quoted
from sinks.provider import Fault, Outcome, TransientFailure

_ABOUT_SENDER = re.compile(r"\bfrom\b|sender|verified|identit", re.IGNORECASE)
"""In what providers say where they do not let us send as somebody."""


class From(Struct, frozen=True):
    """A name, which may be empty, an address, and where answers go, if that is elsewhere."""

    name: str
    address: str
    reply_to: str = ""

    @property
    def header(self) -> str:
        """Name and address as a header has them, in ASCII."""
        return mailbox_of(self.name, self.address)

    @property
    def line(self) -> str:
        """The same on one line, for an API that wants names encoded (SES)."""
        return self.header.replace("\r\n", "")

    @property
    def text(self) -> str:
        """The same with the name as it is, for an API that encodes it."""
        return f"{quoted(self.name)} <{self.address}>" if self.name else self.address


class Senders:
    """The sender of each mail."""

    def __init__(self, settings: Settings) -> None:
        name, address = parsed_mailbox(settings.email_from)
        self.default = From(name, address)

    def check(self) -> None:
        """Raise Misconfigured where the setting names nobody."""
        if "@" not in self.default.address:
            raise Misconfigured("TOCSIN_EMAIL_FROM is not an e-mail address.")

    def of(self, delivery: Delivery) -> From:
        """Field by field what the delivery says, else the setting."""
        said, default = delivery.sender, self.default
        if said is None:
            return default
        # A name belongs to its address.
        name = said.name or ("" if said.address else default.name)
        return From(name, said.address or default.address, said.reply_to)


def as_own(outcome: Outcome, delivery: Delivery) -> Outcome:
    """What came of a mail; of one with a sender of its own, that is no trouble of all others."""
    if delivery.sender is None or not isinstance(outcome, TransientFailure):
        return outcome
    if outcome.whose is not Fault.CREDENTIALS or not _ABOUT_SENDER.search(outcome.detail):
        return outcome
    return replace(outcome, fault=Fault.MESSAGE)
