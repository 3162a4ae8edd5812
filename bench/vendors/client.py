"""A vendor's client that is ready to send, and where the simulators are that it sends to."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

from embedded.simulators.credentials import Credentials
from pipeline.settings import Settings

THREADS = 16
"""For an SDK that only blocks."""


class Outside(NamedTuple):
    """The simulators: how we reach them, the accounts they know, and where all but APNs listen."""

    settings: Settings
    accounts: Credentials
    url: str


class Opened(Protocol):
    """A client that is ready."""

    async def send(self, number: int) -> None:
        """Send the message of this number; raises where it was not accepted."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Vendor(NamedTuple):
    """An SDK: what is called of it, and how to open it; a call sends one message."""

    client: str
    open: Callable[[Outside], Opened]


class Blocking:
    """A blocking client's calls on threads."""

    def __init__(self, call: Callable[[int], Any]) -> None:
        self._call = call
        self._threads = ThreadPoolExecutor(THREADS)

    async def send(self, number: int) -> None:
        """Send one on a thread."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._call, number)

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()
