"""The web process: what comes from outside, over HTTP."""

import asyncio
import errno
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from pipeline.catalogue_folder import Catalogues
from pipeline.catalogue_reload import CatalogueFolder
from pipeline.clock import Clock, SystemClock
from pipeline.process.gc_tuning import tune_collector
from pipeline.producing.outputs import Log
from pipeline.producing.producer import start_producer
from pipeline.settings import Settings
from pipeline.tls import Certificate
from pipeline.tracing.export import start_tracing, stop_tracing
from schemas.errors import PortTaken, Unavailable
from web.api.app import MOST_BYTES, api
from web.api.keys import Keys
from web.api.services import Services
from web.console.routes import console
from web.gateway.hub import Hub
from web.gateway.presence import PresenceTracker
from web.gateway.routes import Gateway
from web.http.connections import Bounds, allow_open_files, bounds_of, connections
from web.http.cors import cross_origin
from web.http.problems import problems
from web.http.rate_limits import Limits, UserLimits
from web.http.slow_bodies import bound_bodies
from web.links.routes import Links
from web.login.guard import Guard
from web.login.routes import Login, no_login
from web.preferences.routes import PreferencePages
from web.reports.registry import reporters_of
from web.tickets import Tickets
from web.webhooks import Webhooks
from web.workers.handled import Handled
from web.workers.partition_router import Owners
from web.workers.reach import Reach
from web.workers.report_writer import BackChannel

BACKLOG = 128
"""Connections that the system holds until we take them."""
DEFAULTS = Bounds()
KEYS_SECONDS = 1.0
"""How often the file of API keys is looked at, and that of the certificate."""


def build(
    settings: Settings,
    producer: Log,
    tickets: Tickets,
    catalogues: Catalogues,
    clock: Clock,
    more: Iterable[web.RouteDef] = (),
    limits: Limits | None = None,
) -> web.Application:
    """The application, which writes by this producer, with `more` routes beside its own.

    Without `limits` of all web processes it counts the requests of users by itself.
    """
    back = BackChannel(producer, settings, tickets, catalogues, clock)
    key = settings.signing_key.get_secret_value().encode()
    app = web.Application(client_max_size=MOST_BYTES)
    cross_origin(app, settings.cors_origins)
    problems(app)
    bound_bodies(app, settings.web_body_seconds)
    app.add_routes(Webhooks(reporters_of(settings), back, settings.public_url, clock).routes())
    users = UserLimits(limits or Limits(), settings)
    app.add_routes(Links(back, tickets, catalogues, key, clock, users).routes())
    app.add_routes([web.get("/health", _health), *more])
    return app


@asynccontextmanager
async def serving(
    app: web.Application,
    host: str,
    port: int,
    bounds: Bounds = DEFAULTS,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """Serve inside the block; its URL. Requests under way are finished before it ends.

    Raises PortTaken, or Unavailable, where it can't listen.
    """
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    if runner.server is None:
        raise RuntimeError("aiohttp made no server")
    try:
        listening = await _listen(connections(runner.server, bounds), host, port, tls)
        address = listening.sockets[0].getsockname()
        try:
            yield f"{'https' if tls else 'http'}://{address[0]}:{address[1]}"
        finally:
            listening.close()
    finally:
        await runner.cleanup()


async def _listen(
    connected: Callable[[], asyncio.Protocol], host: str, port: int, tls: ssl.SSLContext | None
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(connected, host, port, backlog=BACKLOG, ssl=tls)
    except OSError as error:
        is_taken = error.errno == errno.EADDRINUSE
        why = "is taken by another program" if is_taken else f"can't be listened on ({error})"
        raise (PortTaken if is_taken else Unavailable)(
            f"http://{host}:{port} {why}, so nothing is served; choose another by TOCSIN_WEB_PORT, "
            "and by TOCSIN_WEB_HOST an address of this machine."
        ) from None


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises Unavailable without Kafka or a port to listen on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    certificate = _certificate_of(settings)
    keys, catalogue = Keys(settings.api_keys), CatalogueFolder(settings.catalogue)
    clock = SystemClock()
    guard = Guard(settings, clock) if settings.oidc_issuer else None
    producer = await start_producer(settings.brokers)
    start_tracing(settings, "tocsin-web")
    await catalogue.watch()
    watching = asyncio.create_task(_watch(keys, certificate))
    try:
        async with (
            Owners(settings) as owners,
            Hub(settings) as hub,
            Handled(settings, owners) as handled,
        ):
            desk = Services(settings, producer, owners, handled, catalogue, clock)
            here = PresenceTracker(desk)
            here.start()
            gateway = Gateway(desk, hub, here)
            pages = PreferencePages(desk).routes()
            reach = Reach(producer)
            own = web.get("/ready", reach.answer)
            login = Login(settings, guard, desk.trail, desk.limits, clock) if guard else None
            logins = login.routes() if login else no_login()
            more = [
                own,
                *api(desk, keys, guard.key_of if guard else None),
                *gateway.routes(),
                *pages,
            ]
            more += [*console(), *logins]
            app = build(
                settings, producer, Tickets(settings, owners), catalogue, clock, more, desk.limits
            )
            tune_collector()
            bounds = bounds_of(settings)
            allow_open_files(bounds)
            tls = certificate.context if certificate else None
            async with serving(app, settings.web_host, settings.web_port, bounds, tls) as url:
                print(f"web ready on {url}", flush=True)  # noqa: T201 - for process managers
                await stop.wait()
                gateway.end()
            await here.close()
            if login:
                await login.close()
            await desk.clickhouse.close()
            await desk.exports.close()
    finally:
        watching.cancel()
        await catalogue.close()
        await producer.stop()
        await asyncio.to_thread(stop_tracing)


async def _watch(keys: Keys, certificate: Certificate | None) -> None:
    while True:
        await asyncio.sleep(KEYS_SECONDS)
        keys.refresh_or_keep()
        if certificate is not None:
            certificate.refresh()


def _certificate_of(settings: Settings) -> Certificate | None:
    file = settings.web_certificate_file
    if file is None:
        return None
    return Certificate("TOCSIN_WEB_CERTIFICATE_FILE", file, settings.web_key_file)


async def _health(_: web.Request) -> web.Response:
    return web.Response(text="ok\n")
