"""Clients of the gateway, in a process of their own: open sockets, and note when messages come."""

import asyncio
import sys
import time

import aiohttp
import msgspec
import uvloop
from msgspec import Struct

from pipeline.collector import tune_collector
from web.gateway.token import Subscriber, make_token, subscriber_secret

OPENING = 100
"""Sockets that are opened at once."""
TENANT = "default"


class Arrived(Struct, frozen=True):
    """How many messages came, and after how many milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float


class _Item(Struct):
    occurred_at: int


class _Message(Struct):
    kind: str
    item: _Item | None = None


async def listen(url: str, sockets: int, key: bytes) -> Arrived:
    """Open so many, say so, and report when a line comes on standard input."""
    took: list[float] = []
    decode = msgspec.json.Decoder(_Message).decode
    secret, now = subscriber_secret(key, TENANT), int(time.time())
    slots, opened = asyncio.Semaphore(OPENING), asyncio.Event()
    left = sockets

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        nonlocal left
        token = make_token(secret, Subscriber(TENANT, f"user-{number}"), now)
        address = f"{url}/inbox/socket"
        async with slots:
            socket = await session.ws_connect(address, params={"token": token})
            await socket.receive()
        left -= 1
        if not left:
            opened.set()
        async for said in socket:
            message = decode(said.data)
            if message.item is not None:
                took.append(time.time() * 1000 - message.item.occurred_at)

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        clients = [asyncio.create_task(client(session, number)) for number in range(sockets)]
        await opened.wait()
        tune_collector()
        sys.stdout.write("open\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        for each in clients:
            each.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
    took.sort()
    if not took:
        return Arrived(0, 0.0, 0.0)
    return Arrived(len(took), round(took[len(took) // 2], 1), round(took[int(len(took) * 0.99)], 1))


if __name__ == "__main__":
    found = uvloop.run(listen(sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()))
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
