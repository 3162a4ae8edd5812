"""Whether each provider that a channel uses is set up, and knows us."""

from collections.abc import AsyncIterator

from agents.check.findings import Finding, State
from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.topics import SINKS
from schemas.vocabulary import Channel
from sinks.credentials import ask
from sinks.email.smtp import Smtp
from sinks.http.client import HttpClient
from sinks.provider import Provider
from sinks.registry import providers_of

CONNECTIONS = 1


async def check_providers(settings: Settings) -> AsyncIterator[Finding]:
    """Look at each provider of each channel; nothing is sent."""
    http = HttpClient(settings.provider_timeout, CONNECTIONS)
    try:
        for channel in SINKS:
            async for each in _of_channel(channel, settings, http):
                yield each
    finally:
        await http.close()


async def _of_channel(
    channel: Channel, settings: Settings, http: HttpClient
) -> AsyncIterator[Finding]:
    try:
        providers = [each.provider for each in providers_of(channel, settings, http)]
    except Misconfigured as error:
        todo = f"mend TOCSIN_{channel.upper()}_PROVIDERS"
        yield Finding(f"{channel}", State.FAILED, str(error), todo)
        return
    for provider in providers:
        try:
            yield await _of_provider(provider, settings, http)
        finally:
            await provider.close()


async def _of_provider(provider: Provider, settings: Settings, http: HttpClient) -> Finding:
    subject = f"{provider.channel}: {provider.name}"
    try:
        await provider.check()
    except Misconfigured as error:
        todo = f"set it, or take {provider.name} off TOCSIN_{provider.channel.upper()}_PROVIDERS"
        return Finding(subject, State.FAILED, str(error), todo)
    if isinstance(provider, Smtp):
        trouble = await provider.log_in()
        if trouble is None:
            return Finding(subject, State.OK, "the relay lets us in")
        return Finding(subject, State.FAILED, trouble.detail, "see TOCSIN_SMTP_…")
    if provider.name == "fcm":
        return Finding(subject, State.OK, "Google gives out tokens, or is away")
    known = await ask(provider.name, settings, http)
    if known is None:
        return Finding(subject, State.OK, "it is set up; only a message tells more")
    if known.is_known is None:
        return Finding(subject, State.WARNING, known.said, "look at its status page, and our way")
    if known.is_known:
        return Finding(subject, State.OK, known.said)
    todo = "make a key there that is good, and set it"
    return Finding(subject, State.FAILED, known.said, todo)
