"""A server at the place of a registry, which says what a test has it say, or is not there."""

import asyncio
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from embedded.process import LOOPBACK, free_port

Say = Callable[[web.Request], Any]


class Door:
    """Answers each path as `answers` has it: an object, or a status with an object or bytes.

    Of a list the first is said, and then the next; the last remains. What is not there is unknown
    as a registry says it. With `beyond`, the URL of a registry, that is asked instead. Where it
    knows clients by their certificates, `known_by` says who vouches for them. `asked` are the paths
    that were asked for.
    """

    def __init__(
        self, beyond: str = "", certificate: Path | None = None, known_by: Path | None = None
    ) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.headers: list[Any] = []
        self._beyond = beyond
        self._tls = None
        if certificate is not None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(certificate)
            if known_by is not None:
                self._tls.verify_mode = ssl.CERT_REQUIRED
                self._tls.load_verify_locations(known_by)
        self._port = free_port()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it is, or will be."""
        return f"http{'s' if self._tls else ''}://{LOOPBACK}:{self._port}"

    async def open(self) -> None:
        """Begin to listen."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port, ssl_context=self._tls).start()

    async def close(self) -> None:
        """Be away; connections end."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> "Door":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path_qs.lstrip("/")
        self.asked.append(path)
        self.headers.append(request.headers)
        if self._beyond:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self._beyond}/{path}") as answer,
            ):
                return web.Response(status=answer.status, body=await answer.read())
        found = self.answers.get(path, self.answers.get(request.path.lstrip("/")))
        if found is None:
            found = 404, {"error_code": 40403, "message": "Schema not found"}
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, asyncio.Event):
            await found.wait()
            found = 500, b""
        status, said = found if isinstance(found, tuple) else (200, found)
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        headers = {"Location": f"{self.url}/elsewhere"} if status in (301, 302) else {}
        return web.Response(status=status, body=body, headers=headers)
