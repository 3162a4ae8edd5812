"""The clients' process, as whoever measures sees it: open sockets, and what came to them."""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from bench.gateway.sockets import REPORT, Arrived
from bench.module import line_of, running, tell

PAUSE = 0.5
"""Seconds after which, if nothing more came, nothing more is expected."""


class Clients:
    """Open sockets of users `user-0`, `user-1`, …"""

    def __init__(self, process: Process, count: int) -> None:
        self._process = process
        self.count = count

    async def ready(self) -> None:
        """Return once all are served."""
        await line_of(self._process)

    def begin(self) -> None:
        """Count what is sent from now on, and nothing from before, however late it comes."""
        tell(self._process, b"%d\n" % (time.time_ns() // 1_000_000))

    async def arrived(self, expected: int, patience: float) -> Arrived:
        """What came, once that is all that was expected, or nothing more does."""
        end = time.monotonic() + patience
        before = -1
        while True:
            tell(self._process, f"{REPORT}\n".encode())
            found = msgspec.json.decode(await line_of(self._process), type=Arrived)
            over = time.monotonic() > end
            if found.count >= expected or found.count == before or over:
                return found
            before = found.count
            await asyncio.sleep(PAUSE)


@asynccontextmanager
async def clients(dialect: str, port: int, count: int, secret: str) -> AsyncIterator[Clients]:
    """So many open sockets at the server that listens at the port."""
    async with running("bench.gateway.sockets", dialect, port, count, secret) as process:
        opened = Clients(process, count)
        await opened.ready()
        yield opened
