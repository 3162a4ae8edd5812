"""The clients' process, as whoever measures sees it: open sockets, and what came to them."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from bench.sockets import REPORT, Arrived
from embedded.house import ROOT
from pipeline.errors import Unavailable

PAUSE = 0.5
"""Seconds after which, if nothing more came, nothing more is expected."""


class Clients:
    """Open sockets of users `user-0`, `user-1`, …"""

    def __init__(self, process: Process, count: int) -> None:
        self._process = process
        self.count = count

    async def ready(self) -> None:
        """Return once all are served."""
        await self._line()

    def begin(self) -> None:
        """Count what is sent from now on, and nothing from before, however late it comes."""
        self._say(str(time.time_ns() // 1_000_000))

    async def arrived(self, expected: int, patience: float) -> Arrived:
        """What came, once that is all that was expected, or nothing more does."""
        end = time.monotonic() + patience
        before = -1
        while True:
            self._say(REPORT)
            found = msgspec.json.decode(await self._line(), type=Arrived)
            over = time.monotonic() > end
            if found.count >= expected or found.count == before or over:
                return found
            before = found.count
            await asyncio.sleep(PAUSE)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe, as asked for
        self._process.stdin.write(f"{line}\n".encode())

    async def _line(self) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - a pipe, as asked for
        line = await self._process.stdout.readline()
        if not line:
            raise Unavailable("The benchmark's clients ended; what they said is above.")
        return line


@asynccontextmanager
async def clients(dialect: str, port: int, count: int, secret: str) -> AsyncIterator[Clients]:
    """So many open sockets at the server that listens at the port."""
    argv = [sys.executable, "-m", "bench.sockets", dialect, str(port), str(count), secret]
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=PIPE, stdout=PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        opened = Clients(process, count)
        await opened.ready()
        yield opened
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
