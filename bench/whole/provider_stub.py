"""A server for all providers that answers at once and notes when each message came.

It checks nothing and speaks HTTP/1.1 alone, for what sends by FCM, SendGrid and Twilio. What is
noted goes to the accept log's place: a line a message, `EPOCH-SECONDS DELIVERY-ID`.
"""

import asyncio
import re
import sys
import time
from pathlib import Path
from typing import BinaryIO, cast

import uvloop

from embedded.process import LOOPBACK
from embedded.simulators.credentials import keep_credentials
from pipeline.process.gc_tuning import tune_collector

READY = "provider stub ready"
FLUSH_EVERY = 0.1
"""Seconds between writes of what was noted."""
END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
DELIVERY = re.compile(rb'delivery_id(?:"\s*:\s*"|=|%3D)([0-9A-Za-z_-]+)')
"""In JSON, in an address's query, and in such a query within a form."""


def reply(status: str, body: bytes, *headers: str) -> bytes:
    """A whole answer, as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


TOKEN = reply("200 OK", b'{"access_token":"bench","expires_in":86400,"token_type":"Bearer"}')
BY_PATH = (
    (b"/token", TOKEN),
    (b"/v1/projects/", reply("200 OK", b'{"name":"projects/bench/messages/0"}')),
    (b"/v3/mail/send", reply("202 Accepted", b"", "X-Message-Id: bench")),
    (b"/2010-04-01/Accounts/", reply("201 Created", b'{"sid":"SMbench"}')),
)
UNKNOWN = reply("404 Not Found", b"{}")


def answer_to(call: bytes) -> bytes:
    """What the provider whose path is called says to a message that it takes."""
    path = call[call.index(b" ") + 1 :]
    return next((answer for prefix, answer in BY_PATH if path.startswith(prefix)), UNKNOWN)


class Calls:
    """Cuts what a connection brings into whole calls."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> list[bytes]:
        """The calls that are whole now, each with its body."""
        calls, self._rest = [], self._rest + data
        while (end := self._rest.find(END)) >= 0:
            end += len(END)
            length = LENGTH.search(self._rest, 0, end)
            end += int(length[1]) if length else 0
            if len(self._rest) < end:
                break
            calls.append(self._rest[:end])
            self._rest = self._rest[end:]
        return calls


class Receipts:
    """What came, kept until it is written."""

    def __init__(self, log: BinaryIO) -> None:
        self._log = log
        self._noted: list[tuple[float, bytes]] = []

    def note(self, call: bytes) -> None:
        """Note the messages of one call as received now."""
        self._noted.append((time.time(), call))

    def write(self) -> None:
        """Write what was noted; ids are looked for only here, off the way of an answer."""
        noted, self._noted = self._noted, []
        for at, call in noted:
            for delivery in DELIVERY.findall(call):
                self._log.write(b"%.6f %b\n" % (at, delivery))
        self._log.flush()


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts
        self._calls = Calls()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        # uvloop has transports of its own, which are no subclass.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each call that is whole."""
        for call in self._calls.take(data):
            self._receipts.note(call)
            self._transport.write(answer_to(call))


async def serve(port: int, log: Path, folder: Path) -> None:
    """Serve until this process is ended; the accounts are kept in the folder."""
    keep_credentials(folder, f"http://{LOOPBACK}:{port}")
    with log.open("ab") as file:
        receipts = Receipts(file)
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: Connection(receipts), LOOPBACK, port, backlog=1024)
        tune_collector()
        sys.stdout.write(f"{READY}\n")
        sys.stdout.flush()
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            receipts.write()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
