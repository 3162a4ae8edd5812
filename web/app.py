"""The web process: what comes from outside, over HTTP."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from pipeline.clock import Clock, SystemClock
from pipeline.outputs import Log
from pipeline.producer import start_producer
from pipeline.settings import Settings
from web.back_channel import BackChannel
from web.links.routes import Links
from web.reports.registry import reporters_of
from web.webhooks import Webhooks

MOST_BYTES = 1 << 20
"""Of a request's body; larger ones are answered 413."""


def build(settings: Settings, producer: Log, clock: Clock) -> web.Application:
    """The application, which writes by this producer."""
    back = BackChannel(producer, settings)
    key = settings.signing_key.get_secret_value().encode()
    app = web.Application(client_max_size=MOST_BYTES)
    app.add_routes(Webhooks(reporters_of(settings), back, settings.public_url, clock).routes())
    app.add_routes(Links(back, key, clock).routes())
    app.add_routes([web.get("/health", _health)])
    return app


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Serve inside the block; its URL. Requests under way are finished before it ends."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
        address = runner.addresses[0]
        yield f"http://{address[0]}:{address[1]}"
    finally:
        await runner.cleanup()


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises Unavailable without Kafka."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    producer = await start_producer(settings.kafka)
    try:
        app = build(settings, producer, SystemClock())
        async with serving(app, settings.web_host, settings.web_port) as url:
            print(f"web ready on {url}", flush=True)  # noqa: T201 - what a process manager reads
            await stop.wait()
    finally:
        await producer.stop()


async def _health(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")
