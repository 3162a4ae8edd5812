"""Every provider by name, and which of them a channel uses.

A provider's module is imported when the provider is used: what the libraries of all of them take to
load is a third of the processor time in which a worker starts.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, cast

from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel
from sinks.http.client import HttpClient
from sinks.provider import Provider

BuildProvider = Callable[[Settings, HttpClient], Provider]

PROVIDERS = {
    "apns": "push.apns:Apns",
    "discord": "chat.discord:Discord",
    "fcm": "push.fcm:Fcm",
    "mailgun": "email.mailgun:Mailgun",
    "plivo": "sms.plivo:Plivo",
    "postmark": "email.postmark:Postmark",
    "resend": "email.resend:Resend",
    "sendgrid": "email.sendgrid:SendGrid",
    "ses": "email.ses:Ses",
    "slack": "chat.slack:Slack",
    "slackapp": "chat.slack_app:SlackApp",
    "smtp": "email.smtp:Smtp",
    "sns": "sms.sns:Sns",
    "standard": "webhook.standard:StandardWebhooks",
    "teams": "chat.teams:Teams",
    "telegram": "chat.telegram:Telegram",
    "twilio": "sms.twilio:Twilio",
    "twiliowhatsapp": "chat.twilio_whatsapp:TwilioWhatsApp",
    "vonage": "sms.vonage:Vonage",
    "vonagemessages": "sms.vonage_messages:VonageMessages",
    "vonagewhatsapp": "chat.vonage_whatsapp:VonageWhatsApp",
    "webpush": "push.webpush:WebPush",
}
"""Where each is, as `module:class` in `sinks`."""
_ENTRY = re.compile(r"([a-z]+)(?::(\d{1,6}))?")


class Weighted(NamedTuple):
    """A provider and its share of the channel's deliveries; with 0 it only stands in."""

    provider: Provider
    weight: int


def kind_of(name: str) -> BuildProvider:
    """The class of the provider of this name, one of PROVIDERS."""
    module, _, kind = PROVIDERS[name].partition(":")
    return cast("BuildProvider", getattr(import_module(f"sinks.{module}"), kind))


def providers_of(channel: Channel, settings: Settings, http: HttpClient) -> list[Weighted]:
    """The channel's providers as its setting lists them; raises Misconfigured."""
    setting = f"TOCSIN_{channel.upper()}_PROVIDERS"
    chosen: dict[str, Weighted] = {}
    for entry in getattr(settings, f"{channel}_providers").split(","):
        match = _ENTRY.fullmatch(entry.strip())
        if match is None:
            raise Misconfigured(f"{setting}: {entry.strip()!r} is not NAME or NAME:WEIGHT.")
        name = match[1]
        if name not in PROVIDERS:
            raise Misconfigured(f"{setting}: there is no provider {name!r}.")
        provider = kind_of(name)(settings, http)
        if provider.channel is not channel:
            raise Misconfigured(f"{setting}: {name} delivers by {provider.channel}.")
        if name in chosen:
            raise Misconfigured(f"{setting} lists {name} twice.")
        chosen[name] = Weighted(provider, int(match[2] or 1))
    return list(chosen.values())
