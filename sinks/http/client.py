"""The one HTTP client of all providers, and what a failed call means for a delivery."""

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import overload
from urllib.parse import urlsplit

from msgspec import Struct
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import (
    BuilderError,
    DecodeError,
    DetailedPyreqwestError,
    PoolTimeoutError,
    PyreqwestError,
    RequestTimeoutError,
)
from pyreqwest.http import Url

from schemas.errors import Misconfigured
from schemas.vocabulary import Reason
from sinks.provider import PermanentFailure, TransientFailure

CONNECT_TIMEOUT = 5.0  # seconds; a provider that is up answers a handshake well within it
IDLE_TIMEOUT = 50.0  # seconds; below the 60 after which common load balancers drop a connection
MAX_DETAIL = 200  # characters of a provider's own words in a detail
NOT_CONNECTED = "client error (Connect)"
"""The client's own word for it. Not its ConnectTimeoutError, which is raised for every time-out."""
MOST_BYTES = 1 << 20
"""What is read of a stranger's reply: a few kilobytes may unpack to gigabytes."""
BEFORE_CALL: ContextVar[Callable[[], None] | None] = ContextVar("BEFORE_CALL", default=None)
"""What whoever sends deliveries wants done right before each call that is made for them; the call
is not made if it raises."""
TRACE_HEADERS: ContextVar[Mapping[str, str] | None] = ContextVar("TRACE_HEADERS", default=None)
"""What calls bear of the trace that they are part of; None for those that are not traced."""
BETWEEN = (502, 504, 520, 524)
"""A gateway lost sight of a request that it passed on; the last two are Cloudflare's."""
TOO_MUCH = (420, 429)
"""420 is older than 429, and still said by Mailgun."""
TOO_EARLY = (421, 425)
"""Nobody looked at it: on another connection, or a moment later, it is another matter."""


class Reply(Struct, frozen=True):
    """A complete HTTP reply. `at` is when it was read, in epoch seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: float

    def header(self, name: str) -> str | None:
        """The first header of this name; None where there is none that can be read."""
        try:
            return self.headers.get(name)
        except ValueError:
            # Whoever answers may put any byte there, and the client turns it into text only now.
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds for which it asks to be left alone, None where it says nothing."""
        return retry_after(self.header("retry-after"), self.at)


class HttpClient:
    """Connections to every provider, pooled and kept alive."""

    def __init__(
        self,
        timeout: float,
        connections: int,
        *,
        http2: bool = False,
        pinned: tuple[str, str, int] | None = None,
    ) -> None:
        """`timeout` is seconds for a whole call; `connections` is how many may idle per host.

        With `http2` nothing else is spoken, and one connection carries all calls to a host.
        `pinned` is a host, the address that its name stands for here, and the port there; then no
        proxy is asked, which would look the name up again, and of a reply, which is a
        stranger's, the first MOST_BYTES are read.
        """
        self._timeout = timeout
        self._reads_all = pinned is None
        builder = ClientBuilder().http2_prior_knowledge() if http2 else ClientBuilder()
        if pinned is not None:
            builder = builder.resolve(*pinned).no_proxy()
        self._client: Client = (
            builder.timeout(timedelta(seconds=timeout))
            .connect_timeout(timedelta(seconds=min(timeout, CONNECT_TIMEOUT)))
            .pool_idle_timeout(timedelta(seconds=IDLE_TIMEOUT))
            .pool_max_idle_per_host(connections)
            # A redirected POST turns into a GET that sends nothing and looks like success.
            .follow_redirects(False)
            .user_agent("tocsin")
            .build()
        )

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Reply | TransientFailure:
        """One POST, never repeated here; a Retry where there was no whole reply.

        Details name the kind of failure alone: neither URL nor headers, where secrets are.
        """
        try:
            if trace := TRACE_HEADERS.get():
                headers = {**headers, **trace}
            request = self._client.post(_parsed(url)).headers(headers).body_bytes(body)
            if (before_call := BEFORE_CALL.get()) is not None:
                before_call()
            if self._reads_all:
                response = await request.build().send()
                content = (await response.bytes()).to_bytes()
            else:
                async with request.build_streamed() as response:
                    start = await response.body_reader.read(MOST_BYTES)
                    content = b"" if start is None else start.to_bytes()
        except RequestTimeoutError as error:
            said = f"no reply within {self._timeout:g} s"
            return TransientFailure(Reason.TIMEOUT, said, uncertain=_may_be_sent(error))
        except DecodeError:
            said = "the reply's encoding is broken"
            return TransientFailure(Reason.UNREADABLE_REPLY, said, uncertain=True)
        except (PyreqwestError, ValueError) as error:
            return TransientFailure(
                Reason.UNREACHABLE, _kind_of(error), uncertain=_may_be_sent(error)
            )
        return Reply(response.status, response.headers, content, time.time())

    async def get(self, url: str, headers: Mapping[str, str]) -> Reply | TransientFailure:
        """One GET, never repeated here; a Retry where there was no whole reply."""
        try:
            response = await self._client.get(_parsed(url)).headers(headers).build().send()
            content = (await response.bytes()).to_bytes()
        except RequestTimeoutError:
            return TransientFailure(Reason.TIMEOUT, f"no reply within {self._timeout:g} s")
        except (PyreqwestError, ValueError) as error:
            return TransientFailure(Reason.UNREACHABLE, _kind_of(error))
        return Reply(response.status, response.headers, content, time.time())

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()


@overload
def failure_of(reply: Reply, said: None) -> TransientFailure: ...


@overload
def failure_of(reply: Reply, said: str | None) -> TransientFailure | PermanentFailure: ...


def failure_of(reply: Reply, said: str | None) -> TransientFailure | PermanentFailure:
    """What a reply that is no success, or is not understood, means as far as its status tells.

    `said` is the error as the provider words it, or None when the body is not in the provider's
    form: then another server answered in its place, and only the provider itself can refuse.
    """
    status = reply.status
    detail = f"HTTP {status}" if said is None else f"HTTP {status}: {said[:MAX_DETAIL]}"
    after = reply.retry_after
    if status in (401, 402, 403):
        return TransientFailure(Reason.UNAUTHORIZED, detail)
    elif status in TOO_MUCH:
        return TransientFailure(Reason.THROTTLED, detail, after)
    elif status == 408:
        return TransientFailure(Reason.TIMEOUT, detail)
    elif status >= 500 or status in TOO_EARLY:
        return TransientFailure(Reason.PROVIDER_ERROR, detail, after, uncertain=status in BETWEEN)
    elif status >= 400 and said is not None:
        return PermanentFailure(Reason.REJECTED, detail)
    return unreadable(reply)


def is_too_large(reply: Reply | TransientFailure) -> bool:
    """Whether a call has more bytes than whoever answers takes: with less in it, it may go."""
    return isinstance(reply, Reply) and reply.status == 413


def unreadable(reply: Reply) -> TransientFailure:
    """A reply that the provider's documents don't know; its body is kept out of the detail."""
    detail = f"HTTP {reply.status} with {len(reply.body)} bytes not understood"
    return TransientFailure(Reason.UNREADABLE_REPLY, detail, uncertain=reply.status < 300)


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds from `now` (epoch seconds) that a Retry-After header asks for; both its forms."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        # Numbers that no calendar holds overflow: whoever answers may write any.
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


def require_url(setting: str, url: str) -> None:
    """Raise Misconfigured when the setting holds no URL that a call can go to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured(f"{setting} is not an http or https URL.")


@lru_cache(maxsize=1024)
def _parsed(url: str) -> Url:
    # The same few are called again and again; to look through one takes as long as all headers.
    return Url(url)


def _may_be_sent(error: Exception) -> bool:
    if isinstance(error, BuilderError | PoolTimeoutError | ValueError):
        return False
    causes = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
    return not any(cause["message"] == NOT_CONNECTED for cause in causes or ())


def _kind_of(error: Exception) -> str:
    causes = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
    # The outermost message holds the URL; the innermost cause is the operating system's word.
    return f"{type(error).__name__}: {causes[-1]['message']}" if causes else type(error).__name__
