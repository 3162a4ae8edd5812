"""What a push may carry: APNs and FCM refuse a message of more than 4 KB."""

from collections.abc import Mapping
from typing import Any

import msgspec

from policy.rendering.sandbox.plain_text import MARK, cut, longest
from policy.rendering.sandbox.render_limits import TooMuch

PAYLOAD = 4096
"""Bytes of JSON that providers take."""

ENVELOPE = 512
"""Kept free for the ids that the sink adds, and for what FCM adds for APNs."""

_ROOM = PAYLOAD - ENVELOPE
_FEW = 400  # characters, of four bytes at most
_SMALL = 900  # bytes: escaped twice, data grow to twice their size
_encode = msgspec.json.Encoder().encode


def payload_bytes(title: str, body: str, data: Mapping[str, Any]) -> int:
    """Bytes of the title, the body and the data as JSON; FCM's data values are strings."""
    texts = {name: _text(value) for name, value in data.items()}
    return len(_encode({"title": title, "body": body, "data": texts}))


class PushRoom:
    """Room for a payload."""

    def holds(self, title: str, body: str, data: Mapping[str, Any]) -> bool:
        """Whether the body fits beside title and data."""
        return payload_bytes(title, body, data) <= _ROOM

    def fitted(self, title: str, body: str, data: Mapping[str, Any], tail: str = "") -> str:
        """The body and its tail, cut where the payload would be too large, "…" for the rest.

        Raises TooMuch where title and data leave no room for a body. The tail, a few
        characters, stays whole. Expects a clean title and body.
        """
        if len(title) + len(body) < _FEW and (not data or len(_encode(data)) < _SMALL):
            return body + tail
        if self.holds(title, body + tail, data):
            return body + tail
        end = MARK + tail
        taken = payload_bytes(title, end, data)
        if taken > _ROOM:
            raise TooMuch(f"with its data the push has {taken} bytes, and {_ROOM} are possible")
        body = body[:_ROOM]
        return cut(body, longest(body, lambda piece: self.holds(title, piece + end, data))) + end


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _encode(value).decode()
