"""The least that an HTTP server can do to take an event: write its body to Kafka, and answer."""

import asyncio
import sys

import uvloop
from aiohttp import web

from pipeline.process.gc_tuning import tune_collector
from pipeline.producing.producer import start_producer
from schemas.topics import EVENTS


async def serve(kafka: str) -> None:
    """Serve until it is ended; its URL is the first line of output."""
    producer = await start_producer(kafka)

    async def take(request: web.Request) -> web.Response:
        await producer.write(EVENTS.name, 0, [(b"shop", await request.read())])
        return web.Response(status=202)

    app = web.Application()
    app.add_routes([web.post("/v1/events", take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tune_collector()  # as the web process does
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
