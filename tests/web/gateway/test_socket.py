"""What goes to a socket by its bytes is what any client reads; a slow client is noticed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import WSMsgType, web

from tests.patience import in_time
from web.gateway.socket import straight_to

Send = Callable[[bytes], bool]
SIZES = (0, 1, 125, 126, 127, 3000, 65_535, 65_536, 70_000)


@asynccontextmanager
async def serving(
    talk: Callable[[web.WebSocketResponse, Send], Awaitable[None]],
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A client's socket, to which `talk` says something."""

    async def serve(request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse(compress=False)
        await answer.prepare(request)
        assert request.transport is not None
        await talk(answer, straight_to(request.transport))
        async for _ in answer:
            pass
        return answer

    app = web.Application()
    app.add_routes([web.get("/", serve)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        yield socket
    await runner.cleanup()


async def test_texts_of_all_sizes_come_whole_and_in_order_between_what_others_send() -> None:
    async def talk(answer: web.WebSocketResponse, send: Send) -> None:
        for size in SIZES:
            assert send(("é" * size).encode())
            await answer.send_frame(b"between", WSMsgType.TEXT)
            await answer.receive()

    async with serving(talk) as socket, in_time():
        for size in SIZES:
            assert await socket.receive_str() == "é" * size
            assert await socket.receive_str() == "between"
            await socket.send_str("go on")


async def test_there_is_no_room_for_who_does_not_read() -> None:
    taken = asyncio.Queue[int]()

    async def talk(_: web.WebSocketResponse, send: Send) -> None:
        count = 0
        while send(b"%d %s" % (count, b"x" * 10_000)):
            count += 1
        taken.put_nowait(count)

    async with serving(talk) as socket, in_time():
        count = await taken.get()
        assert count > 0
        for number in range(count):
            assert (await socket.receive_str()).split()[0] == str(number)


async def test_nothing_goes_to_who_is_gone() -> None:
    gone = asyncio.Queue[bool]()

    async def talk(answer: web.WebSocketResponse, send: Send) -> None:
        async for _ in answer:
            pass
        gone.put_nowait(send(b"hello?"))

    async with serving(talk) as socket, in_time():
        await socket.close()
        assert not await gone.get()
