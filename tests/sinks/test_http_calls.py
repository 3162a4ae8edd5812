"""One call: what leaves, what a whole reply is, and what it means where there is none."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from embedded.process import free_port
from schemas.vocabulary import Reason
from sinks.http.client import HttpClient, Reply
from sinks.provider import TransientFailure
from tests.sinks.rig import PATIENT

ODD = TransientFailure(Reason.UNREADABLE_REPLY, "the reply's encoding is broken", uncertain=True)


class Server:
    """Answers each call with just these bytes, piece by piece, and keeps what it was sent."""

    def __init__(self) -> None:
        self.said = b""
        self.reply = b""
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One call."""
        self.said = await reader.readuntil(b"the end")
        for piece in self.reply.split(b"|"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05 if b"|" in self.reply else 0)
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield made


@pytest.fixture(params=[None, ("127.0.0.1", "127.0.0.1", 80)], ids=["known", "pinned"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[HttpClient]:
    made = HttpClient(PATIENT, 2, pinned=request.param)
    yield made
    await made.close()


async def test_a_call_and_its_reply(client: HttpClient, server: Server) -> None:
    server.reply = b"HTTP/1.1 207 X\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\n\r\nabcde"
    before = time.time()
    reply = await client.post(f"{server.url}/a?b=c", b"the end", {"X-Key": "v"})
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, reply.header("x-a")) == (207, b"abcde", "1")
    assert before <= reply.at <= time.time()
    lines = server.said.decode().lower().split("\r\n")
    assert lines[0] == "post /a?b=c http/1.1"
    assert {"x-key: v", "user-agent: tocsin", "content-length: 7"} <= set(lines)
    assert lines[-1] == "the end"


async def test_a_reply_that_comes_in_pieces_is_read_whole(
    client: HttpClient, server: Server
) -> None:
    server.reply = b"HTTP/1.1 200 X\r\n|Content-Length: 9\r\n\r\nabc|def|ghi"
    reply = await client.post(server.url, b"the end", {})
    assert isinstance(reply, Reply)
    assert reply.body == b"abcdefghi"


@pytest.mark.parametrize("head", [b"", b"Location: /elsewhere\r\n"])
async def test_a_reply_without_a_body_has_an_empty_one(
    client: HttpClient, server: Server, head: bytes
) -> None:
    server.reply = b"HTTP/1.1 302 X\r\n" + head + b"Content-Length: 0\r\n\r\n"
    reply = await client.post(server.url, b"the end", {})
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body) == (302, b"")


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 X\r\nContent-Length: 30\r\n\r\nabc",
    ],
    ids=["no gzip", "cut off"],
)
async def test_of_a_reply_that_can_not_be_read_it_is_not_sure_what_it_said(
    client: HttpClient, server: Server, reply: bytes
) -> None:
    server.reply = reply
    assert await client.post(server.url, b"the end", {}) == ODD


async def test_where_nobody_listens_nothing_was_sent(client: HttpClient) -> None:
    outcome = await client.post(f"http://127.0.0.1:{free_port()}", b"", {})
    assert isinstance(outcome, TransientFailure)
    assert (outcome.reason, outcome.uncertain) == (Reason.UNREACHABLE, False)
    # The system's word for it, and no URL.
    assert outcome.detail.startswith("ConnectError: Connection refused")


@pytest.mark.parametrize("url", ["http://[", "not a url", ""])
async def test_what_is_no_url_is_not_called(client: HttpClient, url: str) -> None:
    assert await client.post(url, b"", {}) == TransientFailure(Reason.UNREACHABLE, "ValueError")
