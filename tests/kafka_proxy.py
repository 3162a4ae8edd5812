"""A TCP proxy in front of Kafka that understands frames: it holds requests up, or loses answers.

It can also be a bad network, where every answer is late and some connections end.
"""

import asyncio
import contextlib
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from embedded.process import LOOPBACK, free_port

PRODUCE, FETCH, METADATA = 0, 1, 3
FIND_COORDINATOR, JOIN, HEARTBEAT, LEAVE, SYNC, OFFSET_COMMIT = 10, 11, 12, 13, 14, 8
GROUP = frozenset({OFFSET_COMMIT, 9, FIND_COORDINATOR, JOIN, HEARTBEAT, LEAVE, SYNC})
"""Requests that a group's coordinator answers, and the one by which it is found."""
INIT_PRODUCER_ID = 22

Match = Callable[[int, bytes], bool]
"""Whether a request is meant: its API key, and all of it from there on."""


def of(*keys: int, within: bytes = b"") -> Match:
    """Requests with one of these API keys that hold these bytes, such as a topic's name."""
    return lambda key, body: key in keys and within in body


@dataclass(frozen=True)
class BadNetwork:
    """Answers come `least` to `most` seconds late; this share of them never, as the connection is
    reset instead. One `random` draws all."""

    random: Random
    least: float = 1.0
    most: float = 5.0
    resets: float = 0.05

    def delay(self) -> float:
        """Seconds by which the next answer is late."""
        return self.random.uniform(self.least, self.most)

    def is_reset(self) -> bool:
        """Whether the connection ends in place of the next answer."""
        return self.random.random() < self.resets


class KafkaProxy:
    """Passes on what clients and one broker say to each other; clients learn no other way.

    A request that `holds` matches waits, and all that its connection sends after it, until
    `let_go`. The answer to one that `loses` matches never comes: its connection ends instead.
    While `network` is set, all answers are as that has it.
    """

    def __init__(self, broker: int) -> None:
        self._broker = broker
        self.port = free_port()
        self.holds: Match | None = None
        self.loses: Match | None = None
        self.held: list[bytes] = []
        """Requests that were held up, in order."""
        self.lost = 0
        self.network: BadNetwork | None = None
        self.late = self.reset = 0
        """Answers that the network delayed, and connections that it ended."""
        self.seen = Counter[int]()
        """Requests by API key."""
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where clients bootstrap."""
        return f"{LOOPBACK}:{self.port}"

    def hold(self, matches: Match) -> None:
        """From now on hold up requests that match."""
        self.holds = matches
        self._open.clear()

    def let_go(self) -> None:
        """Pass on what is held up, and all else."""
        self.holds = None
        self._open.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        back, on = await asyncio.open_connection(LOOPBACK, self._broker)
        lost = set[int]()
        ways = [
            asyncio.create_task(self._requests(reader, on, lost)),
            asyncio.create_task(self._answers(back, writer, lost)),
        ]
        self._tasks.update(ways)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._tasks.difference_update(ways)
        for end in (on, writer):
            end.close()

    async def _requests(
        self, reader: asyncio.StreamReader, on: asyncio.StreamWriter, lost: set[int]
    ) -> None:
        while frame := await _frame(reader):
            key = int.from_bytes(frame[:2], "big")
            self.seen[key] += 1
            if self.holds is not None and self.holds(key, frame):
                self.held.append(frame)
                # Also when its client has given up: what the network has, it has.
                await asyncio.shield(self._open.wait())
            if self.loses is not None and self.loses(key, frame):
                self.loses = None
                lost.add(int.from_bytes(frame[4:8], "big"))
            on.write(len(frame).to_bytes(4, "big") + frame)
            await on.drain()

    async def _answers(
        self, back: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: set[int]
    ) -> None:
        host = len(LOOPBACK).to_bytes(2, "big") + LOOPBACK.encode()
        there, here = (host + struct.pack(">i", port) for port in (self._broker, self.port))
        while frame := await _frame(back):
            if int.from_bytes(frame[:4], "big") in lost:
                self.lost += 1
                return
            if self.network is not None:
                if self.network.is_reset():
                    self.reset += 1
                    writer.transport.abort()
                    return
                self.late += 1
                await asyncio.sleep(self.network.delay())
            frame = frame.replace(there, here)
            writer.write(len(frame).to_bytes(4, "big") + frame)
            await writer.drain()

    async def close(self) -> None:
        """End all connections."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _frame(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


@asynccontextmanager
async def proxy_to(broker: int) -> AsyncIterator[KafkaProxy]:
    """A proxy in front of the broker on this port of the loopback."""
    proxy = KafkaProxy(broker)
    server = await asyncio.start_server(proxy.serve, LOOPBACK, proxy.port)
    try:
        yield proxy
    finally:
        proxy.let_go()
        server.close()
        await proxy.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await server.wait_closed()
