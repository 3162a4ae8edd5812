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

    async def send(self, numbers: range) -> None:
        """Send the messages of these numbers in one call; raises if one was not accepted."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Vendor(NamedTuple):
    """An SDK: what is called of it, how to open it, and how many messages a call can carry.

    `why_one` says why a call carries one only.
    """

    client: str
    open: Callable[[Outside], Opened]
    batch_size: int = 1
    why_one: str = "its API takes one message a call"


class Blocking:
    """A blocking client's calls on threads."""

    def __init__(self, call: Callable[[range], Any]) -> None:
        self._call = call
        self._threads = ThreadPoolExecutor(THREADS)

    async def send(self, numbers: range) -> None:
        """Make the call on a thread."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._call, numbers)

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()


def one_by_one(call: Callable[[int], Any]) -> Blocking:
    """A blocking client whose calls carry one message each."""
    return Blocking(lambda numbers: [call(number) for number in numbers])
