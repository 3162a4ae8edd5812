"""How tests wait: for what must come, for as long as a machine that is busy with all else needs.

A test that passes never waits longer than what it waits for takes, so the limit is generous: it
only keeps a test that fails from running for ever.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

Value = TypeVar("Value")

PATIENCE = 120.0
"""Seconds until what did not come is said to be missing."""
PAUSE = 0.02
"""Seconds between two looks."""


def in_time() -> asyncio.Timeout:
    """A block that must end, as in `async with in_time():`; raises TimeoutError if it does not."""
    return asyncio.timeout(PATIENCE)


async def ended(awaited: Awaitable[Value]) -> Value:
    """What is awaited, once it ends; raises TimeoutError if it does not."""
    async with in_time():
        return await awaited


async def until(is_so: Callable[[], bool], pause: float = PAUSE) -> None:
    """Wait until something is so that has no event of its own."""
    async with in_time():
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(pause)


async def until_told(
    ask: Callable[[], Awaitable[Value]], is_it: Callable[[Value], bool], pause: float = PAUSE
) -> Value:
    """Ask again and again; returns the first answer that is the one waited for.

    An answer that has not come within the patience fails the test, and is shown.
    """
    end = time.monotonic() + PATIENCE
    while not is_it(told := await ask()):
        assert time.monotonic() < end, f"after {PATIENCE:g} s it was still {told!r}"
        await asyncio.sleep(pause)
    return told


def to_tomorrow(within: float, now: datetime | None = None) -> float:
    """Seconds until the next day (UTC) begins; 0 if that takes longer than `within` seconds.

    What asks for the things of today waits for so long first: they would be of yesterday.
    """
    now = now or datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = (midnight - now).total_seconds()
    return left if left <= within else 0.0
