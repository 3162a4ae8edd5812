"""What is read of Amazon: one address, within seconds, a little of it, and nothing it leads to."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from embedded.process import free_port
from schemas.errors import Unavailable
from web.reports import ses
from web.reports.ses import fetch


class Server:
    """Answers with one reply, and then with these pieces, one after the other."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.reply = web.Response()
        self.pieces: list[bytes] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        """One request."""
        self.asked.append(request.path_qs)
        if self.pieces:
            response = web.StreamResponse()
            await response.prepare(request)
            for piece in self.pieces:
                await response.write(piece)
                await asyncio.sleep(0.05)
            return response
        return self.reply


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_route("GET", "/{tail:.*}", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_what_stands_there_is_read(server: Server) -> None:
    server.reply = web.Response(body=b"a certificate")
    assert await fetch(f"{server.url}/x.pem?a=b") == b"a certificate"
    assert server.asked == ["/x.pem?a=b"]


async def test_64_kib_are_read(server: Server) -> None:
    server.reply = web.Response(body=b"x" * 65_537)
    assert await fetch(server.url) == b"x" * 65_536
    server.pieces = [b"x" * 65_535, b"yz", b"never"]
    assert await fetch(server.url) == b"x" * 65_535 + b"y"


async def test_what_comes_in_pieces_is_read_whole(server: Server) -> None:
    server.pieces = [b"a cer", b"tifi", b"cate"]
    assert await fetch(server.url) == b"a certificate"


async def test_a_redirect_is_not_followed(server: Server) -> None:
    server.reply = web.Response(status=302, headers={"Location": "/elsewhere"}, body=b"moved")
    assert await fetch(f"{server.url}/x.pem") == b"moved"
    assert server.asked == ["/x.pem"]


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
async def test_an_error_is_no_answer(server: Server, status: int) -> None:
    server.reply = web.Response(status=status)
    with pytest.raises(Unavailable, match=r"does not answer \(ClientResponseError\)"):
        await fetch(server.url)


async def test_nobody_listens() -> None:
    with pytest.raises(Unavailable, match=r"does not answer \(ClientConnectorError\)"):
        await fetch(f"http://127.0.0.1:{free_port()}")


async def test_there_are_five_seconds(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ses.TIMEOUT.total == 5
    monkeypatch.setattr(ses, "TIMEOUT", aiohttp.ClientTimeout(total=1e-6))
    with pytest.raises(Unavailable, match=r"does not answer \(.*Timeout.*\)"):
        await fetch(server.url)
