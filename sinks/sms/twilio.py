"""SMS by Twilio: one call a message."""

from pipeline.settings import Settings
from schemas.delivery import Delivery
from sinks import twilio
from sinks.http.client import HttpClient, Reply
from sinks.provider import Outcome, TransientFailure
from sinks.sms.sms_provider import Text, Texter, Texting


class Twilio(Texter):
    """Sends text messages for one account, from our numbers or through a Messaging Service."""

    name = "twilio"

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        super().__init__(Texting(settings, self.name))
        self._account = twilio.TwilioAccount(settings, http)

    async def check(self) -> None:
        """Raise Misconfigured for a missing account, token or sender; makes no call."""
        self._account.check()
        self.texting.check(needs_sender=not self._account.service)

    async def send_text(self, delivery: Delivery, text: Text) -> Outcome:
        """The call for one message."""
        reply = await self._account.post(form_of(text, self._account.service))
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply, text)


def form_of(text: Text, service: str = "") -> dict[str, str]:
    """The fields of the request for a message, whose sender the service chooses if there is one."""
    sender = {"MessagingServiceSid": service} if service else {"From": text.sender}
    form = {"To": text.to, **sender, "Body": text.body}
    # Twilio takes no metadata with a message, so what it is to hand back is in the callback.
    return form | {"StatusCallback": text.callback} if text.callback else form


def outcome_of(reply: Reply, text: Text) -> Outcome:
    """What Twilio's reply means."""
    return twilio.outcome_of(reply, text.sent)
