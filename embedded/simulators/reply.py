"""JSON replies, encoded by msgspec: aiohttp's own encoder costs several times as much."""

from typing import Any

import msgspec
from aiohttp import web

ENCODER = msgspec.json.Encoder()


def json_reply(body: Any, status: int = 200) -> web.Response:
    """A reply with the body as JSON."""
    return web.Response(
        status=status,
        body=ENCODER.encode(body),
        headers={"Content-Type": "application/json; charset=UTF-8"},
    )
