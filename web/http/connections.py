"""What one client may hold: connections, time and memory.

aiohttp itself ends connections that are silent, also in the middle of a request's head, and bounds
lines and fields; here is what it has no setting for.
"""

import asyncio
import logging
import resource
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

from aiohttp import http_exceptions, web

from pipeline.settings import Settings

LINE_BYTES = 8190
"""Of a request's first line, and of each of its fields; more are answered 400."""
MOST_FIELDS = 100
HEAD_BYTES = 64 << 10
"""Of all of a request's head; more end the connection."""
MOST_WAITING = 4
"""Requests that one connection may have waiting behind the one in hand; then it is not read."""
OTHER_FILES = 256
"""Beside connections: Kafka, ClickHouse, workers, and what is read."""
LOG_SECONDS = 60.0
"""Between two log messages that connections are refused."""
_HEAD = "HTTP/1.1 {} \r\nConnection: close\r\nContent-Length: 0\r\n{}\r\n"
BUSY = _HEAD.format("503 Service Unavailable", "Retry-After: 5\r\n").encode()
TOO_LARGE = _HEAD.format("431 Request Header Fields Too Large", "").encode()
log = logging.getLogger(__name__)


class Bounds(NamedTuple):
    """See the settings of the same names, which begin with `web_`."""

    connections: int = 10_000
    connections_per_address: int = 200
    proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    idle_seconds: float = 75.0


def bounds_of(settings: Settings) -> Bounds:
    """As they are set."""
    return Bounds(
        settings.web_connections,
        settings.web_connections_per_address,
        tuple(map(str, settings.web_proxies)),
        settings.web_idle_seconds,
    )


class Admission:
    """Counts the connections of this process, in all and by address."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._proxies = [ip_network(each) for each in bounds.proxies]
        self._by_address = Counter[str]()
        self._count = 0
        self._logged_at = float("-inf")

    def admit(self, peer: str, now: float) -> str | None:
        """What the connection is counted as, to be given back; None where it is one too many.

        `now` is any clock's seconds.
        """
        address = self._address_of(peer)
        most = self._bounds.connections_per_address
        if self._count >= self._bounds.connections or self._by_address[address] >= most:
            self._tell(address, now)
            return None
        self._count += 1
        if address:
            self._by_address[address] += 1
        return address

    def leave(self, address: str) -> None:
        """A connection that was admitted has ended."""
        self._count -= 1
        if address:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _address_of(self, peer: str) -> str:
        """An address, of IPv6 its /64, which one household has; empty for our own proxies."""
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return ""  # a socket of another kind, by which nobody comes from outside
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in proxy for proxy in self._proxies):
            return ""
        if isinstance(address, IPv6Address):
            return str(ip_network((address, 64), strict=False))
        return str(address)

    def _tell(self, address: str, now: float) -> None:
        if now - self._logged_at < LOG_SECONDS:
            return
        self._logged_at = now
        log.warning(
            "Refused a connection from %s: %d of %d are open, %d of %d from there. If these are "
            "your users, raise TOCSIN_WEB_CONNECTIONS or TOCSIN_WEB_CONNECTIONS_PER_ADDRESS, or "
            "name the proxy in front of them in TOCSIN_WEB_PROXIES. Not told again for %d s.",
            address or "a proxy",
            self._count,
            self._bounds.connections,
            self._by_address[address],
            self._bounds.connections_per_address,
            LOG_SECONDS,
        )


class Connection(web.RequestHandler):
    """One client's connection, if it was admitted."""

    __slots__ = ("_admission", "_admitted", "_head_bytes", "_idle_seconds", "_stalled")

    def __init__(
        self, manager: web.Server, admission: Admission, idle_seconds: float, **options: Any
    ) -> None:
        super().__init__(manager, keepalive_timeout=idle_seconds, **options)
        self._idle_seconds = idle_seconds
        self._stalled: asyncio.TimerHandle | None = None
        self._admission = admission
        self._admitted: str | None = None
        self._head_bytes = 0
        # Read by what is inherited: how many wait before reading pauses, and goes on again.
        self._max_msg_queue_size = MOST_WAITING
        self._msg_queue_resume_size = MOST_WAITING // 2

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve it, or say that there are too many."""
        peer = transport.get_extra_info("peername")
        self._admitted = self._admission.admit(str(peer[0]) if peer else "", self._loop.time())
        if self._admitted is not None:
            super().connection_made(transport)
        else:
            _end(transport, BUSY)
            self.force_close()

    def pause_writing(self) -> None:
        """The client does not read as fast as is written: it has so long to go on."""
        super().pause_writing()
        self._stalled = self._loop.call_later(self._idle_seconds, self._abort)

    def resume_writing(self) -> None:
        """It read."""
        super().resume_writing()
        self._forget_stall()

    def _abort(self) -> None:
        # Closed in order, it would first wait until all is read.
        if self.transport is not None:
            self.transport.abort()

    def _forget_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another."""
        self._forget_stall()
        if self._admitted is not None:
            self._admission.leave(self._admitted)
            self._admitted = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand on what came, unless the head that it belongs to is too large."""
        is_idle = self._waiter is not None
        super().data_received(data)
        if not is_idle or self._messages or self._current_request is not None:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES and self.transport is not None:
            _end(self.transport, TOO_LARGE)
            self.force_close()

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """As an error, unless it is only a client that speaks no HTTP: anybody can send that."""
        if isinstance(kw.get("exc_info"), http_exceptions.HttpProcessingError):
            self.logger.debug(*args, **kw)
        else:
            super().log_exception(*args, **kw)


def allow_open_files(bounds: Bounds) -> None:
    """Have the system let this process hold its connections; where it may not, say so."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = bounds.connections + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    if possible < wanted:
        log.warning(
            "The system allows this process %d open files, and %d connections need %d. Raise the "
            "limit (`ulimit -n`), or lower TOCSIN_WEB_CONNECTIONS: beyond it nobody can connect.",
            possible,
            bounds.connections,
            wanted,
        )


def connections(manager: web.Server, bounds: Bounds) -> Callable[[], Connection]:
    """Makes the protocol of each connection to a server, which has these bounds together."""
    admission, loop = Admission(bounds), asyncio.get_running_loop()

    def make() -> Connection:
        return Connection(
            manager,
            admission,
            bounds.idle_seconds,
            loop=loop,
            access_log=None,
            max_line_size=LINE_BYTES,
            max_field_size=LINE_BYTES,
            max_headers=MOST_FIELDS,
        )

    return make


def _end(transport: asyncio.BaseTransport, answer: bytes) -> None:
    if isinstance(transport, asyncio.WriteTransport):
        transport.write(answer)
    transport.close()
