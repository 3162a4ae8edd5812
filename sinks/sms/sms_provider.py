"""What every SMS needs, whoever carries it: a number that exists, a sender, its parts and price."""

from abc import abstractmethod

import phonenumbers
from msgspec import Struct

from pipeline.settings import Settings
from policy.contact.address import BARE
from policy.contact.number_plan import country_of
from policy.limits.daily_limit import OTHER_COUNTRIES
from policy.rendering.channels.sms import segments_of
from schemas.delivery import Delivery
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel, Reason
from sinks.callback import Callback
from sinks.provider import Outcome, PermanentFailure, Sent
from sinks.single_message import SingleMessageProvider


class Text(Struct, frozen=True):
    """A message that is ready to go: `to` is E.164, `callback` empty without a way back."""

    to: str
    sender: str
    body: str
    is_gsm: bool
    segments: int
    cost: float
    callback: str

    def sent(self, reference: str, segments: int = 0) -> Sent:
        """The outcome where the provider took it, in as many segments as it says, if it says."""
        count = segments or self.segments
        return Sent(reference, count, round(self.cost * count / self.segments, 6))


class Texting:
    """Prepares messages for one provider, whose callback bears the delivery's ids and ticket.

    A provider that keeps tickets calls back at one URL for all.
    """

    def __init__(self, settings: Settings, provider: str, *, keeps_tickets: bool = False) -> None:
        self._senders = {OTHER_COUNTRIES: settings.sms_from, **settings.sms_senders}
        self._prices = settings.sms_prices
        self._callback = Callback(settings, provider, keeps_tickets=keeps_tickets)

    def check(self, *, needs_sender: bool = True) -> None:
        """Raise Misconfigured where there is no sender for every country, unless none is needed."""
        if needs_sender and not self._senders[OTHER_COUNTRIES]:
            raise Misconfigured("TOCSIN_SMS_FROM is not set.")
        for country in (*self._senders, *self._prices):
            if country != OTHER_COUNTRIES and country not in phonenumbers.SUPPORTED_REGIONS:
                raise Misconfigured(
                    f"TOCSIN_SMS_SENDERS or TOCSIN_SMS_PRICES names {country!r}: no country."
                )

    def prepare(self, delivery: Delivery) -> Text | PermanentFailure:
        """The message for a delivery; refused, with no call, where it has no possible number."""
        country = country_of(delivery.address)
        if country is None:
            return PermanentFailure(
                Reason.INVALID_ADDRESS, "the address is no possible phone number"
            )
        body = delivery.content.body
        parts = segments_of(body)
        price = self._prices.get(country, self._prices.get(OTHER_COUNTRIES, 0.0))
        return Text(
            to=delivery.address,
            sender=self._senders.get(country) or self._senders[OTHER_COUNTRIES],
            body=body,
            is_gsm=parts.encoding == "GSM-7",
            segments=parts.count,
            cost=round(parts.count * price, 6),
            callback=self._callback.of(delivery),
        )


class Texter(SingleMessageProvider):
    """A provider of texts; a subclass says how a prepared one is sent."""

    channel = Channel.SMS
    scheme = BARE

    def __init__(self, texting: Texting) -> None:
        self.texting = texting

    async def send_one(self, delivery: Delivery) -> Outcome:
        """Prepare the text and, unless it is refused, make the call."""
        text = self.texting.prepare(delivery)
        return text if isinstance(text, PermanentFailure) else await self.send_text(delivery, text)

    @abstractmethod
    async def send_text(self, delivery: Delivery, text: Text) -> Outcome:
        """Make the call for one message; raises nothing for what a provider or network does."""
