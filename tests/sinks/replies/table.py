"""Replies as the providers document them, each with the outcome that must follow."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import pytest

from schemas.vocabulary import Reason
from sinks.http.client import Reply
from sinks.provider import Fault, Outcome, PermanentFailure, TransientFailure
from sinks.sms.sms_provider import Text

HTML = b"<html><body><h1>Bad Gateway</h1></body></html>"
"""What a proxy says in the provider's place."""
TEXT = Text(
    to="+4930123456", sender="Shop", body="Hi", is_gsm=True, segments=2, cost=0.15, callback=""
)
"""Two segments at 0.075 each."""


class Row(NamedTuple):
    """A reply, and what it means."""

    status: int
    body: Any
    outcome: Outcome
    headers: Mapping[str, str] = {}

    @property
    def reply(self) -> Reply:
        """The reply; a body that is neither bytes nor text is JSON."""
        return reply(self.status, self.body, self.headers)


def reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply read at the beginning of 1970."""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = msgspec.json.encode(body)
    return Reply(status, headers or {}, body, 0.0)


def each(rows: list[Row]) -> pytest.MarkDecorator:
    """A test for each row, named by status and body."""
    return pytest.mark.parametrize("row", rows, ids=[f"{r.status} {r.body!s:.60}" for r in rows])


def unread(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Row:
    """A reply not in the provider's form: not taken for sure, unless the status says success."""
    size = len(reply(status, body).body)
    detail = f"HTTP {status} with {size} bytes not understood"
    outcome = TransientFailure(Reason.UNREADABLE_REPLY, detail, uncertain=status < 300)
    return Row(status, body, outcome, headers or {})


PROXIES = [
    Row(500, HTML, TransientFailure(Reason.PROVIDER_ERROR, "HTTP 500")),
    Row(502, HTML, TransientFailure(Reason.PROVIDER_ERROR, "HTTP 502", uncertain=True)),
    Row(
        503, HTML, TransientFailure(Reason.PROVIDER_ERROR, "HTTP 503", 30.0), {"retry-after": "30"}
    ),
    Row(504, HTML, TransientFailure(Reason.PROVIDER_ERROR, "HTTP 504", uncertain=True)),
    Row(408, HTML, TransientFailure(Reason.TIMEOUT, "HTTP 408")),
    Row(429, HTML, TransientFailure(Reason.THROTTLED, "HTTP 429", 7.0), {"retry-after": "7"}),
    unread(301, HTML),
    unread(400, HTML),
    unread(413, HTML),
]
"""What no provider need write itself: none of it refuses a message, or proves that it was sent."""


def rejected(detail: str) -> PermanentFailure:
    """The message can't be sent; nothing is wrong with the address."""
    return PermanentFailure(Reason.REJECTED, detail)


def invalid(detail: str) -> PermanentFailure:
    """The address is none."""
    return PermanentFailure(Reason.INVALID_ADDRESS, detail)


def maybe_invalid(detail: str) -> PermanentFailure:
    """Nothing gets through to the address with our settings, which may change."""
    return PermanentFailure(Reason.INVALID_ADDRESS, detail, lasting=False)


def gone(detail: str) -> PermanentFailure:
    """Nobody is at the address any more."""
    return PermanentFailure(Reason.UNREGISTERED, detail)


def ours(detail: str) -> TransientFailure:
    """A setting or the account is at fault: everybody's messages wait until that is mended."""
    return TransientFailure(Reason.UNAUTHORIZED, detail)


def throttled(detail: str, after: float | None = None) -> TransientFailure:
    """Too many calls."""
    return TransientFailure(Reason.THROTTLED, detail, after)


def throttled_alone(detail: str, after: float | None = None) -> TransientFailure:
    """Too many calls for one address."""
    return TransientFailure(Reason.THROTTLED, detail, after, fault=Fault.ADDRESS)


def throttled_or_alone(detail: str, after: float | None = None) -> TransientFailure:
    """Too many calls for one address or for all: which it is shows when others are served."""
    return TransientFailure(Reason.THROTTLED, detail, after, fault=Fault.CREDENTIALS)


def down(detail: str, after: float | None = None) -> TransientFailure:
    """The provider failed, and says so itself."""
    return TransientFailure(Reason.PROVIDER_ERROR, detail, after)
