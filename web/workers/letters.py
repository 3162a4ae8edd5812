"""Dead letters for somebody who waits for a page: within a time, or not at all."""

import asyncio

from pipeline.records import dead_letter_reading
from pipeline.settings import Settings
from schemas.dead_letter import DeadLetter
from schemas.errors import Unavailable

SEARCH_SECONDS = 15.0
"""For which a request may read in Kafka; pages wait for some seconds longer."""


async def find(
    settings: Settings,
    *,
    letter_id: str | None = None,
    reason: str | None = None,
    topic: str | None = None,
) -> list[DeadLetter]:
    """The dead letters that match, each once, oldest first.

    Raises Unavailable where Kafka does not answer, or has more of them than are read in time: a
    broker that stands still would otherwise keep one reader for each request that gave up.
    """
    try:
        async with asyncio.timeout(SEARCH_SECONDS):
            return await dead_letter_reading.find(
                settings, letter_id=letter_id, reason=reason, topic=topic
            )
    except TimeoutError:
        raise Unavailable(
            f"Kafka at {settings.brokers} did not hand out its dead letters within "
            f"{SEARCH_SECONDS:g} s. `tocsin dead-letters` takes its time; what became of a "
            "notification can be looked up by its id meanwhile."
        ) from None
