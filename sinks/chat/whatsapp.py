"""What a message on WhatsApp needs, whoever carries it: a number, and its words or its template."""

from abc import abstractmethod

from policy.contact.address import split_address
from policy.contact.number_plan import country_of
from policy.contact.phone import plain_phone
from schemas.delivery import Content, Delivery
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel, Reason
from sinks.provider import Outcome, PermanentFailure
from sinks.single_message import SingleMessageProvider


class WhatsApp(SingleMessageProvider):
    """Writes to phone numbers as one business; a subclass says through whom."""

    channel = Channel.CHAT
    scheme = "whatsapp"

    async def send_one(self, delivery: Delivery) -> Outcome:
        """The call for one delivery; see Provider.send."""
        _, number = split_address(delivery.address)
        if country_of(number) is None:
            return PermanentFailure(
                Reason.INVALID_ADDRESS, "the address is no possible phone number"
            )
        return await self.write(delivery, number)

    @abstractmethod
    async def write(self, delivery: Delivery, number: str) -> Outcome:
        """Make the call for one message; raises nothing for what a provider or network does."""


def words_of(content: Content) -> str:
    """The text, with its title in bold above it; a star in a title would end what is bold."""
    title = content.title if "*" in content.title else f"*{content.title}*"
    return f"{title}\n{content.body}" if content.title else content.body


def require_number(setting: str, number: str) -> None:
    """Raise Misconfigured for a sender that is no phone number; none is for others to miss."""
    try:
        written = plain_phone(number) if number else number
    except ValueError:
        written = ""
    if written != number:
        raise Misconfigured(f"{setting} is no phone number: + and its digits.")
