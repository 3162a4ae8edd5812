"""How a client speaks with each of the servers that are compared: Tocsin's gateway, Centrifugo."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime

import jwt
import msgspec
from msgspec import Struct

from policy.time.timestamps import epoch_ms
from web.gateway.token import Subscriber, make_token, subscriber_secret

TENANT = "default"
LIFE = 3600
"""Seconds that a token holds."""


class Heard(Struct, frozen=True):
    """What a message says: that the client is served from now on, or when what came was sent."""

    is_open: bool = False
    sent_at: int = 0
    answer: bytes = b""


class Dialect(ABC):
    """One server's paths, tokens and messages."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @abstractmethod
    def path(self, user: str) -> str:
        """Where the user's socket is."""

    @abstractmethod
    def greeting(self, user: str) -> bytes:
        """What the client says first; empty where the server needs nothing."""

    @abstractmethod
    def hear(self, text: bytes) -> Iterator[Heard]:
        """What a message says."""


class _Item(Struct):
    occurred_at: datetime


class _Message(Struct):
    item: _Item | None = None


class _Data(Struct):
    occurred_at: int


class TocsinDialect(Dialect):
    """The token is in the address; the first message tells the counts."""

    def __init__(self, secret: str) -> None:
        super().__init__(subscriber_secret(secret.encode(), TENANT))
        self._decode = msgspec.json.Decoder(_Message).decode

    def path(self, user: str) -> str:
        """See Dialect."""
        token = make_token(self._secret, Subscriber(TENANT, user), int(time.time()))
        return f"/inbox/socket?token={token}"

    def greeting(self, user: str) -> bytes:
        """See Dialect."""
        return b""

    def hear(self, text: bytes) -> Iterator[Heard]:
        """See Dialect."""
        item = self._decode(text).item
        yield Heard(is_open=True) if item is None else Heard(sent_at=epoch_ms(item.occurred_at))


class _Publication(Struct):
    data: _Data


class _Push(Struct):
    pub: _Publication | None = None


class _Reply(Struct):
    id: int = 0
    error: dict[str, object] | None = None
    push: _Push | None = None


class CentrifugoDialect(Dialect):
    """Centrifugo's JSON protocol: several replies, one a line, may come in one message."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret)
        self._decode = msgspec.json.Decoder(_Reply).decode

    def path(self, user: str) -> str:
        """See Dialect."""
        return "/connection/websocket"

    def greeting(self, user: str) -> bytes:
        """See Dialect."""
        token = jwt.encode({"sub": user, "exp": int(time.time()) + LIFE}, self._secret, "HS256")
        return msgspec.json.encode({"id": 1, "connect": {"token": token}})

    def hear(self, text: bytes) -> Iterator[Heard]:
        """See Dialect."""
        for line in text.split(b"\n"):
            if line == b"{}":
                yield Heard(answer=b"{}")  # a ping: who does not answer is cut off
                continue
            reply = self._decode(line)
            if reply.error is not None:
                raise RuntimeError(f"Centrifugo answered {reply.error}")
            if reply.push is not None and reply.push.pub is not None:
                yield Heard(sent_at=reply.push.pub.data.occurred_at)
            elif reply.id:
                yield Heard(is_open=True)


DIALECTS: dict[str, type[Dialect]] = {"tocsin": TocsinDialect, "centrifugo": CentrifugoDialect}
