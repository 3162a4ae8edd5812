"""How a client speaks with a gateway."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from web.gateway.token import Subscriber, make_token, subscriber_secret

TENANT = "default"


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
    occurred_at: int


class _Message(Struct):
    item: _Item | None = None


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
        yield Heard(is_open=True) if item is None else Heard(sent_at=item.occurred_at)


DIALECTS: dict[str, type[Dialect]] = {"tocsin": TocsinDialect}
