"""Servers that anybody may name: each called only where it is public, and each by itself.

So one that hangs, throttles or fails is left alone, and nobody else waits for it.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from urllib.parse import urlsplit

from pipeline.clock import Clock
from policy.contact.endpoint import complaint_of, is_public
from schemas.vocabulary import Reason
from sinks.http.breaker import Answers, answers_of
from sinks.http.circuits import Circuits
from sinks.http.client import HttpClient, Reply
from sinks.provider import Outcome, PermanentFailure, TransientFailure

LOOKED_UP_MS = 60_000
"""How long a name is taken to stand for the same address."""
LOOK_UP = 5.0
"""Seconds that a name server has."""
MOST = 1024
"""Hosts that are kept; beyond it those that were used the longest ago go."""
AT_ONCE = 16
"""Calls to one server at once, and connections that are kept to it."""
_DOWN = (Reason.TIMEOUT, Reason.UNREACHABLE)
"""What says something of a host, and not of one URL there."""

Failure = TransientFailure | PermanentFailure


def server_of(url: str) -> str:
    """The host and port in a URL; a URL that can't be read is a server of its own."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return url


class _Host:
    """A client whose connections all lead to the one address that was looked at."""

    def __init__(self, client: HttpClient, address: str, at: int) -> None:
        self.client = client
        self.address = address
        self.at = at


class Endpoints:
    """Calls to servers named from outside.

    A host's name is looked up here, all its addresses must be public, and the connection goes to
    just that address: what the name stands for a moment later does not count (DNS rebinding).
    Redirects are never followed, proxies never asked.
    """

    def __init__(self, timeout: float, exceptions: Collection[str], clock: Clock) -> None:
        """`timeout` in seconds a call; `exceptions` are hosts that may be private."""
        self._timeout = timeout
        self._exceptions = exceptions
        self._clock = clock
        self._hosts: OrderedDict[tuple[str, int], _Host] = OrderedDict()
        self._urls = Circuits(timeout, clock)
        self._servers = Circuits(timeout, clock)

    async def call(
        self,
        circuit: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        meaning: Callable[[Reply], Outcome],
    ) -> Outcome:
        """One POST and what its reply means; raises nothing for what a server or network does.

        `circuit` names what fails together and is asked to wait together: a URL, or one hook of a
        platform. A host at which several of them can't be reached is left alone as a whole. While
        either is in trouble a Retry says until when, and no call is made. Details never hold the
        URL.
        """
        if complaint := complaint_of(url, self._exceptions):
            return PermanentFailure(Reason.INVALID_ADDRESS, f"it {complaint}")

        async def make() -> Outcome:
            reply = await self._post(url, body, headers)
            return meaning(reply) if isinstance(reply, Reply) else reply

        async def make_unless_url_fails() -> Outcome:
            return await self._urls.call(circuit, make)

        return await self._servers.call(
            server_of(url), make_unless_url_fails, key=circuit, said=_of_server
        )

    async def close(self) -> None:
        """Close every connection."""
        for host in self._hosts.values():
            await host.client.close()

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply | Failure:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            client = await self._client(parts.hostname or "", port)
        except (OSError, UnicodeError, TimeoutError) as error:
            return TransientFailure(
                Reason.UNREACHABLE, f"its name can't be looked up: {type(error).__name__}"
            )
        if client is None:
            return PermanentFailure(Reason.INVALID_ADDRESS, "its name stands for a private address")
        return await client.post(url, body, headers)

    async def _client(self, host: str, port: int) -> HttpClient | None:
        """The client for a host, or None where its name does not lead to the public internet."""
        now, kept = self._clock.now(), self._hosts.get((host, port))
        if kept is not None and now < kept.at + LOOKED_UP_MS:
            self._hosts.move_to_end((host, port))
            return kept.client
        addresses = await _look_up(host)
        if host not in self._exceptions and not all(map(is_public, addresses)):
            return None
        if kept is not None and kept.address in addresses:
            kept.at = now
            return kept.client
        client = HttpClient(self._timeout, AT_ONCE, pinned=(host, addresses[0], port))
        self._hosts[host, port] = _Host(client, addresses[0], now)
        while len(self._hosts) > MOST:
            # Not closed, as calls may be under way; its connections go with it.
            self._hosts.popitem(last=False)
        return client


def _of_server(outcomes: Sequence[Outcome]) -> Answers | None:
    """What the outcome of a call to one URL says of all others at its host.

    A host may serve many who know nothing of each other, so no reply for one is for all.
    """
    if answers_of(outcomes) is None:
        return None
    is_down = all(isinstance(each, TransientFailure) and each.reason in _DOWN for each in outcomes)
    return Answers(failed=is_down)


async def _look_up(host: str) -> list[str]:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LOOK_UP):
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
