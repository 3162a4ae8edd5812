"""WhatsApp by Twilio: a template by its ContentSid, or free text to who wrote within a day."""

import re

import msgspec

from pipeline.settings import Settings
from policy.rendering.sandbox.plain_text import MARK, cut
from schemas.delivery import Content, Delivery
from schemas.errors import Misconfigured
from schemas.vocabulary import Reason
from sinks.callback import Callback
from sinks.chat.whatsapp import WhatsApp, require_number, words_of
from sinks.http.client import HttpClient
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from sinks.twilio import TwilioAccount, outcome_of

MOST_BODY = 1600
"""Characters that Twilio takes, of fewer than WhatsApp has room for."""
_CONTENT = re.compile(r"HX[0-9a-f]{32}")
_encode = msgspec.json.Encoder().encode


class TwilioWhatsApp(WhatsApp):
    """Sends for one account from one WhatsApp sender, or through a Messaging Service with one."""

    name = "twiliowhatsapp"

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._account = TwilioAccount(settings, http)
        self._from = settings.twilio_whatsapp_from
        self._callback = Callback(settings, self.name)

    async def check(self) -> None:
        """Raise Misconfigured for a missing account, token or sender; makes no call."""
        self._account.check()
        if not self._from and not self._account.service:
            raise Misconfigured("TOCSIN_TWILIO_WHATSAPP_FROM is not set.")
        require_number("TOCSIN_TWILIO_WHATSAPP_FROM", self._from)

    async def write(self, delivery: Delivery, number: str) -> Outcome:
        """The call for one message."""
        approved = delivery.content.approved
        if approved is not None and not _CONTENT.fullmatch(approved.template):
            said = f"{approved.template[:50]} is no ContentSid: HX and 32 hex digits"
            return PermanentFailure(Reason.REJECTED, said)
        form = self.form_of(delivery.content, number)
        if callback := self._callback.of(delivery):
            form["StatusCallback"] = callback
        reply = await self._account.post(form)
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply, Sent)

    def form_of(self, content: Content, number: str) -> dict[str, str]:
        """The fields of the request, but for the callback."""
        sender = {"From": f"whatsapp:{self._from}"}
        if not self._from:
            sender = {"MessagingServiceSid": self._account.service}
        form = {"To": f"whatsapp:{number}", **sender}
        if content.approved is None:
            text = words_of(content)
            if len(text) > MOST_BODY:
                text = cut(text, MOST_BODY - len(MARK)) + MARK
            return form | {"Body": text}
        form["ContentSid"] = content.approved.template
        if content.approved.variables:
            numbered = {str(n): said for n, said in enumerate(content.approved.variables, 1)}
            form["ContentVariables"] = _encode(numbered).decode()
        return form
