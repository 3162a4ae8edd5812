"""A server that stands in for the simulators, and answers as they did: it bounds nobody's rate.

The simulators check each call, which takes them longer than the faster contestants take to make
it. So they check the first calls of each contestant, and what they answered is repeated.
"""

import asyncio
import re
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import uvloop

from bench.module import line_of, running, tell
from embedded.process import LOOPBACK, free_port

CHECKED, REPEATED = b"checked\n", b"repeated\n"
"""What it is told to do with calls from now on."""
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AGENT = re.compile(rb"\r\nuser-agent: *([^\r]*)", re.IGNORECASE)

Tell = Callable[[bytes], Awaitable[None]]
"""Returns once it does as told: a call made from then on is answered so."""


class StandIn:
    """Passes calls on to the simulators at a port, or repeats what was answered to such a call."""

    def __init__(self, simulators: int) -> None:
        self._simulators = simulators
        self._replies: dict[tuple[bytes, bytes], bytes] = {}
        self._repeats = False

    async def obey(self, orders: StreamReader) -> None:
        """Do as told, line by line, until nobody tells any more."""
        async for order in orders:
            self._repeats = order == REPEATED
            sys.stdout.write("done\n")
            sys.stdout.flush()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, until the other side closes it."""
        behind, ahead = await asyncio.open_connection(LOOPBACK, self._simulators)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                call = await _message(reader)
                kind = _kind_of(call)
                reply = self._replies.get(kind) if self._repeats else None
                if reply is None:
                    ahead.write(call)
                    reply = self._replies[kind] = await _message(behind)
                writer.write(reply)
        ahead.close()
        writer.close()


async def _message(reader: StreamReader) -> bytes:
    """A whole request or reply, as it was written."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + await reader.readexactly(int(length[1])) if length else head


def _kind_of(call: bytes) -> tuple[bytes, bytes]:
    """What is called and by whom: an SDK may put one message where we put a hundred."""
    agent = _AGENT.search(call)
    return call[: call.index(b"\r\n")], agent[1] if agent else b""


@asynccontextmanager
async def standing_in(simulators: int) -> AsyncIterator[tuple[int, Tell]]:
    """The port of a stand-in, in a process of its own, and how to tell it what to do."""
    port = free_port()
    async with running("bench.sinks.stub_server", port, simulators) as process:
        await line_of(process)

        async def order(line: bytes) -> None:
            tell(process, line)
            await line_of(process)

        yield port, order


async def _main(port: int, simulators: int) -> None:
    stand_in = StandIn(simulators)
    await asyncio.start_server(stand_in.serve, LOOPBACK, port)
    orders = StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await stand_in.obey(orders)


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1]), int(sys.argv[2])))
