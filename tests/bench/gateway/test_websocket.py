import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import WSMsgType, web

from bench.gateway.protocols import CentrifugoDialect, Heard
from bench.gateway.websocket import WebSocket
from tests.patience import ended

SIZES = (0, 1, 125, 126, 65_535, 65_536, 300_000)


async def serve(request: web.Request) -> web.StreamResponse:
    """Messages of all sizes at once, a ping, and back what the client says."""
    answer = web.WebSocketResponse(autoping=False)
    await answer.prepare(request)
    for size in SIZES:
        await answer.send_str("x" * size)
    await answer.ping(b"there?")
    async for said in answer:
        if said.type is WSMsgType.PONG:
            await answer.send_str(f"pong {said.data.decode()}")
        else:
            await answer.send_str(said.data)
    return answer


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = web.Application()
    app.add_routes([web.get("/socket", serve)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def connect(port: int, path: str, heard: asyncio.Queue[bytes]) -> WebSocket:
    def greet(socket: WebSocket) -> None:
        for size in (5, 125, 126, 3000):
            socket.send(b"y" * size)

    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(
        lambda: WebSocket(path, greet, lambda _, text: heard.put_nowait(text)), "127.0.0.1", port
    )
    return socket


async def test_messages_of_all_sizes_are_heard_and_pings_answered(port: int) -> None:
    heard = asyncio.Queue[bytes]()
    socket = await connect(port, "/socket", heard)
    said = [await ended(heard.get()) for _ in range(len(SIZES) + 5)]
    assert [len(text) for text in said[: len(SIZES)]] == list(SIZES)
    assert b"pong there?" in said
    assert {b"y" * 5, b"y" * 125, b"y" * 126, b"y" * 3000} <= set(said)
    socket.close()
    await ended(socket.closed)


async def test_a_server_that_does_not_agree_is_told(port: int) -> None:
    socket = await connect(port, "/elsewhere", asyncio.Queue())
    with pytest.raises(ConnectionError, match="404"):
        await ended(socket.closed)


def test_centrifugo_may_say_several_things_at_once() -> None:
    push = b'{"push":{"channel":"#user-1","pub":{"data":{"occurred_at":17}}}}'
    connected = b'{"id":1,"connect":{"client":"c"}}'
    assert list(CentrifugoDialect("secret").hear(b"\n".join((connected, push, b"{}", push)))) == [
        Heard(is_open=True),
        Heard(sent_at=17),
        Heard(answer=b"{}"),
        Heard(sent_at=17),
    ]


def test_what_centrifugo_refuses_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="unauthorized"):
        list(CentrifugoDialect("s").hear(b'{"id":1,"error":{"message":"unauthorized"}}'))
