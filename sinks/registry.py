"""Every provider by name, and which of them a channel uses."""

import re
from collections.abc import Callable
from typing import NamedTuple

from pipeline.errors import Misconfigured
from pipeline.settings import Settings
from schemas.vocabulary import Channel
from sinks.chat.discord import Discord
from sinks.chat.slack import Slack
from sinks.chat.teams import Teams
from sinks.email.mailgun import Mailgun
from sinks.email.postmark import Postmark
from sinks.email.sendgrid import SendGrid
from sinks.email.ses import Ses
from sinks.http import HttpClient
from sinks.provider import Provider
from sinks.push.apns import Apns
from sinks.push.fcm import Fcm
from sinks.push.webpush import WebPush
from sinks.sms.plivo import Plivo
from sinks.sms.sns import Sns
from sinks.sms.twilio import Twilio
from sinks.sms.vonage import Vonage
from sinks.webhook.standard import StandardWebhooks

BuildProvider = Callable[[Settings, HttpClient], Provider]

PROVIDERS: dict[str, BuildProvider] = {
    "apns": Apns,
    "discord": Discord,
    "fcm": Fcm,
    "mailgun": Mailgun,
    "plivo": Plivo,
    "postmark": Postmark,
    "sendgrid": SendGrid,
    "ses": Ses,
    "slack": Slack,
    "sns": Sns,
    "standard": StandardWebhooks,
    "teams": Teams,
    "twilio": Twilio,
    "vonage": Vonage,
    "webpush": WebPush,
}
_ENTRY = re.compile(r"([a-z]+)(?::(\d{1,6}))?")


class Weighted(NamedTuple):
    """A provider and its share of the channel's deliveries; with 0 it only stands in."""

    provider: Provider
    weight: int


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
        provider = PROVIDERS[name](settings, http)
        if provider.channel is not channel:
            raise Misconfigured(f"{setting}: {name} delivers by {provider.channel}.")
        if name in chosen:
            raise Misconfigured(f"{setting} lists {name} twice.")
        chosen[name] = Weighted(provider, int(match[2] or 1))
    return list(chosen.values())
