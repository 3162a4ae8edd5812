"""What a channel has room for."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from policy.rendering.channels.chat import ChatRoom
from policy.rendering.channels.push import PushRoom
from policy.rendering.channels.sms import SmsRoom
from policy.rendering.sandbox.render_limits import MOST_BYTES, TooMuch
from schemas.vocabulary import Channel

MOST_DATA = 128 << 10
"""Bytes of JSON that may travel beside a message; a push has room for less."""

SEGMENTS = 4
"""Of an SMS, where the templates don't say."""

_encode = msgspec.json.Encoder().encode


class Room(Protocol):
    """Says whether a message fits, and makes it fit."""

    def holds(self, title: str, body: str, data: Mapping[str, Any]) -> bool:
        """Whether it fits as it is."""

    def fitted(self, title: str, body: str, data: Mapping[str, Any], tail: str = "") -> str:
        """The body that is sent, which ends with the tail; TooMuch where there can't be one."""


class PlainRoom:
    """Room for every text that a template may make."""

    def holds(self, title: str, body: str, data: Mapping[str, Any]) -> bool:
        """Whether the body is no longer than one text may be."""
        return 4 * len(body) <= MOST_BYTES or len(body.encode()) <= MOST_BYTES

    def fitted(self, title: str, body: str, data: Mapping[str, Any], tail: str = "") -> str:
        """All of it; TooMuch where that is too much, or the data more than MOST_DATA."""
        if not self.holds(title, body, data):
            raise TooMuch(f"the text has more than {MOST_BYTES} bytes")
        if data and len(_encode(data)) > MOST_DATA:
            raise TooMuch(f"its data have more than {MOST_DATA} bytes")
        return body + tail


def room_of(channel: Channel, segments: int | None) -> Room:
    """The room of a channel; an SMS has so many segments."""
    if channel is Channel.SMS:
        return SmsRoom(segments or SEGMENTS)
    if channel is Channel.CHAT:
        return ChatRoom()
    return PushRoom() if channel is Channel.PUSH else PlainRoom()
