"""Bare SMTP: the library that our sink stands on, with kept connections and one finished mail."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiosmtplib import SMTP

from bench.sinks.contest import Send
from pipeline.settings import Settings
from schemas.delivery import Delivery
from sinks.email.smtp import Smtp


@asynccontextmanager
async def bare_relay(settings: Settings, provider: Smtp, said: Delivery) -> AsyncIterator[Send]:
    """Sends this delivery's mail again and again, by as many connections as the sink has."""
    envelope = provider.envelope_of(said)
    mail = provider.mail_of(said, envelope.recipient)
    free: asyncio.Queue[SMTP] = asyncio.Queue()
    for _ in range(settings.smtp_connections):
        free.put_nowait(await _connected(settings))

    async def send(_: int) -> None:
        client = await free.get()
        try:
            await client.sendmail(envelope.sender, [envelope.recipient], mail)
        finally:
            free.put_nowait(client)

    try:
        yield send
    finally:
        while not free.empty():
            await free.get_nowait().quit()


async def _connected(settings: Settings) -> SMTP:
    url = urlsplit(settings.smtp_url)
    client = SMTP(
        hostname=url.hostname,
        port=url.port,
        start_tls=True,
        tls_context=ssl.create_default_context(cafile=settings.smtp_ca_file),
        username=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
    )
    await client.connect()
    return client
