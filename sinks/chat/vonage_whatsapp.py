"""WhatsApp by Vonage's Messages API: a template by its name, or free text within a day."""

from typing import Any

from msgspec import Struct

from pipeline.clock import Clock
from pipeline.settings import Settings
from schemas.delivery import Approved, Delivery
from schemas.errors import Misconfigured
from sinks.callback import Callback
from sinks.chat.whatsapp import WhatsApp, require_number, words_of
from sinks.http.client import HttpClient
from sinks.provider import Outcome, Sent, TransientFailure
from sinks.vonage import SYSTEM_CLOCK, Message, VonageAccount, outcome_of

ENGLISH = "en"
"""The language of a template that says none."""


class Words(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A free text."""

    text: str


class Template(Struct, frozen=True, omit_defaults=True):
    """A template by its name, NAMESPACE:NAME, and what fills it."""

    name: str
    parameters: tuple[str, ...] = ()


class Language(Struct, frozen=True):
    """Which of a template's languages; no other stands in."""

    locale: str
    policy: str = "deterministic"


class Filled(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A template with what fills it."""

    template: Template
    whatsapp: Language


class VonageWhatsApp(WhatsApp):
    """Sends for one application, or one API key, from one WhatsApp sender."""

    name = "vonagewhatsapp"
    keeps_tickets = True
    """Reports bear `client_ref`, of a hundred characters."""

    def __init__(self, settings: Settings, http: HttpClient, clock: Clock = SYSTEM_CLOCK) -> None:
        self._account = VonageAccount(settings, http, clock)
        self._from = settings.vonage_whatsapp_from
        self._callback = Callback(settings, self.name, keeps_tickets=True)

    async def check(self) -> None:
        """Raise Misconfigured for missing credentials or a missing sender; makes no call."""
        self._account.check()
        if not self._from:
            raise Misconfigured("TOCSIN_VONAGE_WHATSAPP_FROM is not set.")
        require_number("TOCSIN_VONAGE_WHATSAPP_FROM", self._from)

    async def write(self, delivery: Delivery, number: str) -> Outcome:
        """The call for one message."""
        reply = await self._account.post(self.message_of(delivery, number))
        return reply if isinstance(reply, TransientFailure) else outcome_of(reply, Sent)

    def message_of(self, delivery: Delivery, number: str) -> Message:
        """The request for a delivery."""
        callback = self._callback.of(delivery)
        about = self._account.about(delivery, self._from, number, callback)
        about["channel"] = "whatsapp"
        approved = delivery.content.approved
        if approved is None:
            return Words(**about, message_type="text", text=words_of(delivery.content))
        return Filled(**about, message_type="template", **_filled(approved))


def _filled(approved: Approved) -> dict[str, Any]:
    return {
        "template": Template(approved.template, approved.variables),
        "whatsapp": Language(approved.language or ENGLISH),
    }
