"""Text to a WebSocket without a task, and without waiting: by the bytes of its frame."""

import asyncio
import struct
from collections.abc import Callable

ROOM = 1 << 14
"""Bytes that may wait in the process for one client; with more it is a slow one."""
_LARGE = 126
_HUGE = 127
_TEXT = 0x81
"""A frame of text that is the whole message."""
_short = struct.Struct(">BB").pack
_long = struct.Struct(">BBH").pack
_longest = struct.Struct(">BBQ").pack


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
        return _short(_TEXT, size) + text
    if size < 1 << 16:
        return _long(_TEXT, _LARGE, size) + text
    return _longest(_TEXT, _HUGE, size) + text
