"""Serves the simulators on loopback, in a process of their own or in a test's."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from embedded.simulators.accept_log import AcceptLog
from embedded.simulators.app import Simulators
from embedded.simulators.certificate import keep_certificate
from embedded.simulators.credentials import Credentials, environment, keep_credentials
from embedded.simulators.email.smtp import serving_smtp
from embedded.simulators.push.http2 import serving_http2
from schemas.errors import PortTaken, Unavailable

HOST = "127.0.0.1"
GRACE = 1.0  # seconds that requests under way get to finish


@dataclass(frozen=True)
class Serving:
    """Simulators that listen; `environment` are the settings by which Tocsin reaches them."""

    simulators: Simulators
    credentials: Credentials
    environment: dict[str, str]
    base_url: str


@asynccontextmanager
async def serving(port: int, log: Path, folder: Path) -> AsyncIterator[Serving]:
    """Listen on `port` (0: a free one), append to `log`, keep the accounts in `folder`.

    Raises PortTaken, and Unavailable when a file can't be written.
    """
    with _listen(port) as listener:
        base_url = f"http://{HOST}:{listener.getsockname()[1]}"
        try:
            credentials = keep_credentials(folder, base_url)
            accepted = AcceptLog(log)
        except OSError as error:
            raise Unavailable(
                f"The simulators can't write {error.filename}: {error.strerror}. Nothing was "
                "started; choose another folder."
            ) from None
        simulators = Simulators(credentials, accepted)
        runner = web.AppRunner(
            simulators.app(), access_log=None, shutdown_timeout=GRACE, keepalive_timeout=75.0
        )
        await runner.setup()
        try:
            relay, _ = keep_certificate(folder)
            async with (
                serving_http2(simulators.apns()) as apns_url,
                serving_smtp(simulators.smtp, relay) as smtp_url,
            ):
                credentials = keep_credentials(folder, base_url, apns_url, smtp_url)
                await web.SockSite(runner, listener).start()
                reach = environment(credentials, folder, base_url, apns_url, smtp_url)
                yield Serving(simulators, credentials, reach, base_url)
        finally:
            await runner.cleanup()
            accepted.close()


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port), backlog=1024)
    except OSError as error:
        raise PortTaken(
            f"The simulators can't listen on {HOST}:{port}: {error.strerror}. Nothing was "
            "started; choose another port, or 0 for a free one."
        ) from None
