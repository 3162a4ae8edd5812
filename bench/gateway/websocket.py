"""A WebSocket client that costs next to nothing, so that a benchmark measures the server.

It offers no compression and takes whole messages only, as servers of notifications send them.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from typing import cast

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
SWITCHED = b"HTTP/1.1 101"
_LARGE, _HUGE = 126, 127
_NO_MASK = bytes(4)
"""Clients must mask what they send; a mask of zeros leaves it as it is."""


class WebSocket(asyncio.Protocol):
    """One connection: `on_open` once the server agreed, `on_text` with every message.

    `closed` is done when the connection is gone, and fails if the server did not agree.
    """

    def __init__(
        self,
        path: str,
        on_open: "Callable[[WebSocket], None]",
        on_text: "Callable[[WebSocket, bytes], None]",
    ) -> None:
        self._path = path
        self._on_open = on_open
        self._on_text = on_text
        self._is_open = False
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        # uvloop's transports are none by inheritance.
        self._transport = cast("asyncio.Transport", transport)
        key = b64encode(bytes(16)).decode()  # against caches, of which there are none here
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Hand on each message that is complete."""
        self._rest = self._rest + data if self._rest else data
        if not self._is_open:
            head, found, rest = self._rest.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(SWITCHED):
                self._fail(f"the server answered {head.splitlines()[0]!r}")
                return
            self._rest, self._is_open = rest, True
            self._on_open(self)
        self._take_frames()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to whoever waits."""
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, payload: bytes, opcode: int = TEXT) -> None:
        """Send a message of less than 64 KiB."""
        size = len(payload)
        if size < _LARGE:
            head = bytes((0x80 | opcode, 0x80 | size))
        else:
            head = bytes((0x80 | opcode, 0x80 | _LARGE)) + size.to_bytes(2, "big")
        if self._transport is not None:
            self._transport.write(head + _NO_MASK + payload)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def _take_frames(self) -> None:
        data, start, end = self._rest, 0, len(self._rest)
        while end - start >= 2:
            body, size = start + 2, data[start + 1]
            if size == _LARGE:
                body += 2
                size = int.from_bytes(data[start + 2 : body], "big")
            elif size == _HUGE:
                body += 8
                size = int.from_bytes(data[start + 2 : body], "big")
            if end < body + size:
                break
            self._take(data[start] & 0xF, data[body : body + size])
            start = body + size
        self._rest = data[start:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self._on_text(self, payload)
        elif opcode == PING:
            self.send(payload, PONG)
        elif opcode == CLOSE:
            self.close()

    def _fail(self, reason: str) -> None:
        if not self.closed.done():
            self.closed.set_exception(ConnectionError(reason))
        self.close()
