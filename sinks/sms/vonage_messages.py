"""SMS by Vonage's Messages API: one call a message."""

from msgspec import Struct

from pipeline.clock import Clock
from pipeline.settings import Settings
from schemas.delivery import Delivery
from sinks.http.client import HttpClient
from sinks.provider import Outcome, TransientFailure
from sinks.sms.sms_provider import Text, Texter, Texting
from sinks.vonage import SYSTEM_CLOCK, Message, VonageAccount, outcome_of


class Options(Struct, frozen=True):
    """How a text is written."""

    encoding_type: str


class TextMessage(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a request."""

    text: str
    sms: Options


class VonageMessages(Texter):
    """Sends text messages for one application, or one API key."""

    name = "vonagemessages"
    keeps_tickets = True
    """Reports bear `client_ref`, of a hundred characters."""

    def __init__(self, settings: Settings, http: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._account = VonageAccount(settings, http, clock)
        super().__init__(Texting(settings, self.name, keeps_tickets=True))

    async def check(self) -> None:
        """Raise Misconfigured for missing credentials or a missing sender; makes no call."""
        self._account.check()
        self.texting.check()

    async def send_text(self, delivery: Delivery, text: Text) -> Outcome:
        """The call for one message."""
        reply = await self._account.post(self.message_of(delivery, text))
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply, text.sent)

    def message_of(self, delivery: Delivery, text: Text) -> TextMessage:
        """The request for a delivery."""
        return TextMessage(
            **self._account.about(delivery, text.sender, text.to, text.callback),
            channel="sms",
            message_type="text",
            text=text.body,
            sms=Options("text" if text.is_gsm else "unicode"),
        )
