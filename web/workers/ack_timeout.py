"""Writes that somebody waits for."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from schemas.errors import Unavailable

Done = TypeVar("Done")
ACK_TIMEOUT_SECONDS = 5.0
"""Seconds for an acknowledgement: whoever calls must not wait as long as a worker can."""


async def in_time(writing: Awaitable[Done], advice: str = "") -> Done:
    """What the write returns; raises Unavailable, with the advice, where it takes too long.

    Then it must not be assumed that nothing was written.
    """
    try:
        async with asyncio.timeout(ACK_TIMEOUT_SECONDS):
            return await writing
    except TimeoutError:
        raise Unavailable(
            f"Kafka did not acknowledge within {ACK_TIMEOUT_SECONDS:g} s{advice}"
        ) from None
