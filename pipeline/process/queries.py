"""Interactive queries: what a role knows of its partitions, asked where they are held.

A worker that opened a partition says so in the topic `owners`, with the URL at which it answers.
"""

import asyncio
import hmac
import logging
from collections.abc import Mapping
from typing import Protocol

import msgspec
from aiohttp import web

from pipeline.process.prerequisites import refuse_unguarded
from pipeline.producing.outputs import Log
from pipeline.settings import Settings
from pipeline.tls import Certificate
from schemas.encoding import encode
from schemas.errors import BadRecord, PortTaken
from schemas.question import Owner
from schemas.topics import FORMER, OWNERS

SIGNATURE = "X-Tocsin-Signature"
NOT_HERE = 421
"""Misdirected request: another worker holds the partition, or nobody yet."""
QUERY_TIMEOUT_SECONDS = 2.0
"""Seconds for which a question waits until what it is to come after is done."""
IDLE_SECONDS = 75.0
"""After which a connection ends that sends nothing, or only a part of a request's head."""
REFRESH_SECONDS = 10.0
"""How often it is looked whether a certificate was replaced."""
MOST_BYTES = 2 << 20
NO_QUESTION = b""
"""Asks nothing but to wait; any role that says what it holds answers it."""
_LOOK_EVERY = 0.005
log = logging.getLogger(__name__)


def check_guarded(settings: Settings) -> None:
    """Raise Misconfigured where anybody beyond this machine could ask what a worker knows.

    Without a signing key a question can be signed by everybody. On loopback that is allowed, and
    logged as a warning.
    """
    refuse_unguarded(settings)
    if not settings.signing_key.get_secret_value():
        log.warning(
            "TOCSIN_SIGNING_KEY is not set: every program on this machine can read what is stored "
            "about any user; set it wherever others have accounts here"
        )


class NotOwner(Exception):
    """The partition is not held here, or not yet, or no longer."""


class Held(Protocol):
    """The partitions of a worker, as far as questions concern them."""

    def frontier(self, number: int, topic: str) -> int:
        """Up to which offset a topic is done; raises NotOwner."""
        ...

    async def answer(self, number: int, question: bytes) -> bytes:
        """What the handler of a partition answers; raises NotOwner, BadRecord and ValueError."""
        ...


class Queries:
    """Answers for the partitions of one process, to callers that know the signing key.

    Each of its roles has an address of its own, under one port.
    """

    def __init__(self, settings: Settings) -> None:
        self._held: dict[str, Held] = {}
        self._host, self._port = settings.query_host, settings.query_port
        self._key = settings.signing_key.get_secret_value().encode()
        app = web.Application(client_max_size=MOST_BYTES)
        app.add_routes([web.post(r"/{role}/{partition:\d+}", self._ask)])
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=IDLE_SECONDS)
        self._url = ""
        self._certificate = (
            Certificate(
                "TOCSIN_QUERY_CERTIFICATE_FILE",
                settings.query_certificate_file,
                settings.query_key_file,
            )
            if settings.query_certificate_file
            else None
        )
        self._watching: asyncio.Task[None] | None = None

    def answer_for(self, role: str, held: Held) -> None:
        """Answer what is asked of this role, too."""
        self._held[role] = held

    async def start(self) -> None:
        """Listen, if there is a role to answer for; raises PortTaken."""
        if not self._held:
            return
        await self._runner.setup()
        tls = self._certificate.context if self._certificate else None
        site = web.TCPSite(self._runner, self._host, self._port, ssl_context=tls)
        try:
            await site.start()
        except OSError as error:
            raise PortTaken(
                f"{self._host}:{self._port} can't be listened on ({error.strerror}), so nothing "
                "was started; set TOCSIN_QUERY_HOST and TOCSIN_QUERY_PORT, 0 for any port."
            ) from None
        scheme = "https" if self._certificate else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"{scheme}://{host}:{self._runner.addresses[0][1]}"
        if self._certificate is not None:
            self._watching = asyncio.create_task(_watch(self._certificate))

    def url_of(self, role: str) -> str:
        """Where the role is asked; what is asked follows as a path."""
        return f"{self._url}/{role}"

    async def announce(self, role: str, log: Log, number: int) -> None:
        """Say that a partition of the role is held here; raises Unavailable."""
        owner = Owner(role=role, partition=number, url=self.url_of(role))
        await log.write(OWNERS.name, number, [(f"{role}/{number}".encode(), encode(owner))])

    async def stop(self) -> None:
        """Answer no more."""
        if self._watching is not None:
            self._watching.cancel()
        await self._runner.cleanup()

    async def _ask(self, request: web.Request) -> web.Response:
        question, role = await request.read(), request.match_info["role"]
        # What follows the address that was announced is signed, as whoever asks knows no more.
        signed = signature(self._key, str(request.rel_url).removeprefix(f"/{role}"), question)
        if not hmac.compare_digest(signed, request.headers.get(SIGNATURE, "")):
            return web.Response(status=403)
        number = int(request.match_info["partition"])
        try:
            held = self._held_by(role)
            await _wait(held, number, request.query)
            body = b"{}"
            if question != NO_QUESTION:
                body = await held.answer(number, question)
        except NotOwner:
            return web.Response(status=NOT_HERE)
        except TimeoutError:
            return web.Response(status=503)
        except BadRecord as error:
            return web.Response(status=422, text=error.detail)
        except (ValueError, msgspec.MsgspecError) as error:
            return web.Response(status=400, text=str(error))
        return web.Response(body=body, content_type="application/json")

    def _held_by(self, role: str) -> Held:
        if role not in self._held:
            raise NotOwner
        return self._held[role]


async def _watch(certificate: Certificate) -> None:
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        certificate.refresh()


async def _wait(held: Held, number: int, after: Mapping[str, str]) -> None:
    """Until each of these topics is done up to its offset; raises NotOwner and TimeoutError.

    The last release asks about topics of before as well. In those nothing is left to do, or the
    role would not have started.
    """
    async with asyncio.timeout(QUERY_TIMEOUT_SECONDS):
        for topic, offset in after.items():
            if topic in FORMER:
                continue
            while held.frontier(number, topic) < int(offset):  # noqa: ASYNC110 - rare
                await asyncio.sleep(_LOOK_EVERY)


def signature(key: bytes, path: str, question: bytes) -> str:
    """What shows that a question is one of ours."""
    return hmac.new(key, path.encode() + b"\n" + question, "sha256").hexdigest()
