"""Text to a WebSocket without a task, and without waiting: by the bytes of its frame."""

import asyncio
from collections.abc import Callable

ROOM = 1 << 14
"""Bytes that may wait in the process for one client; with more it is a slow one."""
_LARGE = 126
_HUGE = 127
_TEXT = 0x81
"""A frame of text that is the whole message."""


def straight_to(transport: asyncio.WriteTransport) -> Callable[[bytes], bool]:
    """Sends a message, or says that it can't now: the client is slow, or gone.

    A frame is written whole, so whoever else writes frames to this transport may go on doing so.
    """

    def send(text: bytes) -> bool:
        if transport.is_closing() or transport.get_write_buffer_size() > ROOM:
            return False
        transport.write(frame(text))
        return True

    return send


def frame(text: bytes) -> bytes:
    """The frame of a text, as servers send it: whole, not compressed, not masked (RFC 6455)."""
    size = len(text)
    if size < _LARGE:
        head = bytes((_TEXT, size))
    elif size < 1 << 16:
        head = bytes((_TEXT, _LARGE)) + size.to_bytes(2, "big")
    else:
        head = bytes((_TEXT, _HUGE)) + size.to_bytes(8, "big")
    return head + text
