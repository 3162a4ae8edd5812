"""Clients of a gateway, in a process of their own: open sockets, and note when messages come.

On standard input, a number of epoch milliseconds has them count only what was sent from then on,
and `report` has them print what came.
"""

import asyncio
import sys
import time

import msgspec
import uvloop
from msgspec import Struct

from bench.gateway.protocols import DIALECTS, Dialect
from bench.gateway.websocket import WebSocket
from pipeline.process.gc_tuning import tune_collector

OPENING = 100
"""Sockets that are opened at once."""
WITHIN = 120.0
"""Seconds for all of them."""
REPORT = "report"


class Arrived(Struct, frozen=True):
    """How many messages came, and after how many milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float


class Sockets:
    """So many users' sockets, at one server."""

    def __init__(self, dialect: Dialect, port: int) -> None:
        self._dialect = dialect
        self._port = port
        self._opening = asyncio.Semaphore(OPENING)
        self._took: list[float] = []
        self._since = 0

    async def open(self, count: int) -> None:
        """Return once all are served; raises ConnectionError or TimeoutError where one is not."""
        async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as opening:
            for number in range(count):
                opening.create_task(self._open(f"user-{number}"))

    def begin(self, since: int) -> None:
        """Forget what came, and count what is sent at or after this moment."""
        self._took, self._since = [], since

    def arrived(self) -> Arrived:
        """What came since."""
        took = sorted(self._took)
        if not took:
            return Arrived(0, 0.0, 0.0)
        return Arrived(len(took), *(round(took[int(len(took) * at)], 1) for at in (0.5, 0.99)))

    async def _open(self, user: str) -> None:
        served = asyncio.get_running_loop().create_future()

        def greet(socket: WebSocket) -> None:
            if greeting := self._dialect.greeting(user):
                socket.send(greeting)

        def take(socket: WebSocket, text: bytes) -> None:
            for heard in self._dialect.hear(text):
                if heard.sent_at >= self._since > 0:
                    self._took.append(time.time() * 1000 - heard.sent_at)
                elif heard.answer:
                    socket.send(heard.answer)
                elif heard.is_open and not served.done():
                    served.set_result(None)

        async with self._opening:
            _, socket = await asyncio.get_running_loop().create_connection(
                lambda: WebSocket(self._dialect.path(user), greet, take), "127.0.0.1", self._port
            )
            await asyncio.wait((served, socket.closed), return_when=asyncio.FIRST_COMPLETED)
            if socket.closed.done():
                await socket.closed
                raise ConnectionError(f"{user}'s socket was closed at once")


async def main(dialect: str, port: int, count: int, secret: str) -> None:
    """Open, say so, and do what standard input says until it ends."""
    sockets = Sockets(DIALECTS[dialect](secret), port)
    await sockets.open(count)
    tune_collector()
    _say(b"open")
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        if line == REPORT:
            _say(msgspec.json.encode(sockets.arrived()))
        else:
            sockets.begin(int(line))


def _say(line: bytes) -> None:
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
