"""What one client may hold of a web process: connections, time and memory.

Times that end something are short and are waited out; times that must not end anything are long.
"""

import asyncio
import contextlib
import gzip
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from tests.patience import PATIENCE, ended
from tests.sinks.set_clock import SetClock
from tests.web.caller import NO_TYPES, memory, settings, tickets
from web.app import build, serving
from web.http.connections import (
    HEAD_BYTES,
    LINE_BYTES,
    MOST_FIELDS,
    Admission,
    Bounds,
    allow_open_files,
)

LONG, SHORT = 10 * PATIENCE, 0.3
PATIENT = Bounds(idle_seconds=LONG)
HASTY = Bounds(idle_seconds=SHORT)
ASK = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Line(NamedTuple):
    """A connection as it is."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        """Send this."""
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        """The status of the next answer, all of which is read."""
        head = await ended(self.reader.readuntil(b"\r\n\r\n"))
        fields = dict(each.lower().split(b": ", 1) for each in head.split(b"\r\n")[1:-2])
        await ended(self.reader.readexactly(int(fields[b"content-length"])))
        return int(head.split()[1])

    async def is_ended(self) -> bool:
        """True once the other side has ended it, and nothing came before; waits for that."""
        try:
            return await ended(self.reader.read()) == b""
        except ConnectionResetError:
            return True


class Web(NamedTuple):
    """A web process's port."""

    port: int
    lines: list[Line]

    async def connect(self) -> Line:
        """A connection of one's own."""
        line = Line(*await asyncio.open_connection("127.0.0.1", self.port))
        self.lines.append(line)
        return line

    async def close(self) -> None:
        """End all connections from this side."""
        for line in self.lines:
            line.writer.close()
        for line in self.lines:
            with contextlib.suppress(ConnectionError):
                await line.writer.wait_closed()


@asynccontextmanager
async def a_web(bounds: Bounds, body_seconds: float = LONG) -> AsyncIterator[Web]:
    clock = SetClock()
    chosen = settings(web_body_seconds=body_seconds)
    app = build(chosen, memory(), tickets(chosen), NO_TYPES, clock)

    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app.add_routes([web.post("/echo", echo)])
    async with serving(app, "127.0.0.1", 0, bounds) as url:
        found = Web(urlsplit(url).port or 0, [])
        try:
            yield found
        finally:
            await found.close()


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /hea", b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: ", ASK[:-1]],
    ids=["nothing", "half a line", "half a field", "all but the last byte"],
)
async def test_a_silent_connection_ends(sent: bytes) -> None:
    async with a_web(HASTY) as found:
        line = await found.connect()
        await line.say(sent)
        assert await line.is_ended()


async def test_a_head_that_comes_byte_by_byte_ends() -> None:
    async with a_web(HASTY) as found:
        line = await found.connect()
        waiting = asyncio.create_task(line.is_ended())
        await line.say(ASK[:-4] + b"\r\nX: ")
        while not waiting.done():
            try:
                await line.say(b"a")
            except ConnectionError:
                break
            await asyncio.sleep(SHORT / 20)
        assert await waiting


async def test_a_connection_that_is_not_used_again_ends() -> None:
    async with a_web(HASTY) as found:
        line = await found.connect()
        await line.say(ASK)
        assert await line.status() == 200
        assert await line.is_ended()


async def test_who_does_not_read_an_answer_is_waited_for_no_longer() -> None:
    app, is_cut = web.Application(), asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(bytes(1 << 20))
        except ConnectionError:
            is_cut.set()
            raise

    app.add_routes([web.get("/endless", endless)])
    async with serving(app, "127.0.0.1", 0, HASTY) as url:
        found = Web(urlsplit(url).port or 0, [])
        line = await found.connect()
        line.writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        await ended(is_cut.wait())
        await found.close()


async def test_who_reads_slowly_gets_all_of_an_answer() -> None:
    app, size = web.Application(), 8 << 20

    async def large(_: web.Request) -> web.Response:
        return web.Response(body=bytes(size))

    app.add_routes([web.get("/large", large)])
    async with serving(app, "127.0.0.1", 0, PATIENT) as url:
        found = Web(urlsplit(url).port or 0, [])
        line = await found.connect()
        await line.say(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await ended(line.reader.readuntil(b"\r\n\r\n"))
        left = size
        while left:
            left -= len(await ended(line.reader.read(1 << 16)))
        await found.close()


async def test_a_head_in_pieces_is_read_and_the_connection_used_again() -> None:
    async with a_web(PATIENT) as found:
        line = await found.connect()
        for _ in range(2):
            for at in range(len(ASK)):
                await line.say(ASK[at : at + 1])
                await asyncio.sleep(0)
            assert await line.status() == 200


@pytest.mark.parametrize(
    "more",
    [
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\na",
        b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n",
        b'Content-Type: multipart/form-data; boundary="b"\r\nContent-Length: 100000\r\n\r\n--b\r\n',
    ],
    ids=["by length", "in chunks", "multipart"],
)
@pytest.mark.parametrize("path", [b"/echo", b"/webhooks/twilio"])
async def test_a_body_that_does_not_come_is_answered_408_and_ends(path: bytes, more: bytes) -> None:
    async with a_web(PATIENT, body_seconds=SHORT) as found:
        line = await found.connect()
        await line.say(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + more)
        # What nobody reads is not waited for: such a provider is not set up.
        assert await line.status() == (408 if path == b"/echo" else 404)
        assert await line.is_ended()


async def test_a_form_that_does_not_come_is_answered_408() -> None:
    async with a_web(PATIENT, body_seconds=SHORT) as found:
        app_form = b'multipart/form-data; boundary="b"'
        for kind in (b"application/x-www-form-urlencoded", app_form):
            line = await found.connect()
            await line.say(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: " + kind)
            await line.say(b"\r\nContent-Length: 1000\r\n\r\n--b\r\n")
            assert await line.status() == 408


async def test_a_body_in_pieces_is_read() -> None:
    async with a_web(PATIENT) as found:
        line = await found.connect()
        await line.say(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n")
        for _ in range(300):
            await line.say(b"a")
            await asyncio.sleep(0)
        assert await line.status() == 200


async def test_a_body_is_at_most_a_mebibyte_however_it_comes() -> None:
    packed = gzip.compress(bytes(64 << 20))
    assert len(packed) < 100_000
    whole = b"Content-Length: %d\r\n\r\n"
    async with a_web(PATIENT) as found:
        for body, fields in (
            (bytes(1 << 20), whole % (1 << 20)),
            (bytes((1 << 20) + 1), whole % ((1 << 20) + 1)),
            (packed, b"Content-Encoding: gzip\r\n" + whole % len(packed)),
        ):
            line = await found.connect()
            await line.say(b"POST /echo HTTP/1.1\r\nHost: x\r\n" + fields)
            line.writer.write(body)
            assert await line.status() == (200 if len(body) == 1 << 20 else 413)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * LINE_BYTES + b" HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nX: " + b"a" * (LINE_BYTES + 1) + b"\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n" + b"X: a\r\n" * (MOST_FIELDS + 1) + b"\r\n", 400),
        (ASK[:-2] + b"X: a\r\n" * (MOST_FIELDS - 2) + b"\r\n", 200),
        (b"\x16\x03\x01\x02\x00", 400),
    ],
    ids=["a long line", "a long field", "many fields", "not too many", "no HTTP"],
)
async def test_a_head_has_bounds(
    sent: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_web(PATIENT) as found:
        line = await found.connect()
        await line.say(sent)
        assert await line.status() == status
    assert not [each for each in caplog.records if each.levelname in ("ERROR", "WARNING")]


async def test_a_head_of_many_long_fields_ends() -> None:
    field = b"X: " + b"a" * 4000 + b"\r\n"
    async with a_web(PATIENT) as found:
        line = await found.connect()
        await line.say(b"GET /health HTTP/1.1\r\n")
        waiting = asyncio.create_task(line.status())
        sent = 0
        while not waiting.done() and sent < 10 * HEAD_BYTES:
            try:
                await line.say(field)
            except ConnectionError:
                break
            sent += len(field)
            await asyncio.sleep(0)
        # What was on its way to it may have had the answer thrown away.
        with contextlib.suppress(ConnectionResetError, asyncio.IncompleteReadError):
            assert await waiting == 431
        assert sent < 10 * HEAD_BYTES


async def test_many_requests_in_one_connection_are_all_answered() -> None:
    async with a_web(PATIENT) as found:
        line = await found.connect()
        await line.say(40 * ASK)
        assert [await line.status() for _ in range(40)] == [200] * 40


async def test_there_are_so_many_connections_in_all() -> None:
    async with a_web(Bounds(connections=3, idle_seconds=LONG)) as found:
        lines = [await found.connect() for _ in range(3)]
        for line in lines:
            await line.say(ASK)
            assert await line.status() == 200
        refused = await found.connect()
        assert await refused.status() == 503
        assert await refused.is_ended()
        lines.pop().writer.close()
        # Its end may take a moment to be known.
        async with asyncio.timeout(PATIENCE):
            while True:
                again = await found.connect()
                await again.say(ASK)
                if await again.status() == 200:
                    break


async def test_there_are_so_many_connections_from_one_address() -> None:
    bounds = Bounds(connections_per_address=2, proxies=(), idle_seconds=LONG)
    async with a_web(bounds) as found:
        for _ in range(2):
            line = await found.connect()
            await line.say(ASK)
            assert await line.status() == 200
        assert await (await found.connect()).status() == 503


def test_addresses_are_counted_by_themselves_and_proxies_not_at_all() -> None:
    bounds = Bounds(connections=100, connections_per_address=2, proxies=("10.0.0.0/8", "fd00::/8"))
    admission = Admission(bounds)

    def admits(*peers: str) -> list[bool]:
        return [admission.admit(peer, 0.0) is not None for peer in peers]

    assert admits(*["192.0.2.1"] * 3, "192.0.2.2") == [True, True, False, True]
    assert admits(*["::ffff:192.0.2.1"]) == [False]
    # One household has a /64 of IPv6.
    assert admits("2001:db8::1", "2001:db8::2", "2001:db8::3") == [True, True, False]
    assert admits("2001:db8:0:1::1", "fe80::1%eth0") == [True, True]
    assert admits(*["10.1.2.3"] * 5, *["::ffff:10.1.2.3"] * 5, *["fd00::1"] * 5) == [True] * 15
    admission.leave("192.0.2.1")
    assert admits("192.0.2.1", "192.0.2.1") == [True, False]


def test_that_connections_are_refused_is_told_once_in_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    admission = Admission(Bounds(connections=1))
    for seconds in (0.0, 0.0, 1.0, 59.9, 60.0, 61.0):
        admission.admit("192.0.2.1", seconds)
    assert len(caplog.records) == 2
    assert "raise TOCSIN_WEB_CONNECTIONS" in caplog.text


@pytest.mark.parametrize(
    ("soft", "hard", "set_to", "is_told"),
    [
        (1356, 4096, None, False),
        (1355, 4096, (1356, 4096), False),
        (1024, 1200, (1200, 1200), True),
        (1024, resource.RLIM_INFINITY, (1356, resource.RLIM_INFINITY), False),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, False),
    ],
)
def test_as_many_files_may_be_open_as_there_may_be_connections(
    soft: int,
    hard: int,
    set_to: tuple[int, int] | None,
    is_told: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: done.append(limits))
    allow_open_files(Bounds(connections=1100))
    assert done == ([] if set_to is None else [set_to])
    assert ("lower TOCSIN_WEB_CONNECTIONS" in caplog.text) is is_told
