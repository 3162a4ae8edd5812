"""Waits until what was written has come to whoever is to be asked next."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from pipeline.admin.end_offsets import Ends
from pipeline.kafka.clients import kafka_away
from pipeline.producing.outputs import partition_of
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import INPUTS
from web.workers.partition_router import Owners
from web.workers.position import places_of

TIMEOUT_SECONDS = 4.0
"""For which a read waits for its position at most."""
CHAIN = ("router", "decider", "inapp")
"""Who handles what was written to be routed, one after the other."""


def _passed(writer: str, reader: str) -> tuple[str, ...]:
    """The topics by which one role passes on to another."""
    return tuple(topic.name for topic in INPUTS[reader] if writer in topic.written_by.split(", "))


PASSED = {reader: _passed(writer, reader) for writer, reader in pairwise(CHAIN)}
"""By reader, what the role before it in the chain writes to it."""


class Handled:
    """Turns a position into what a role must have done before it is asked.

    A role's outputs are acknowledged before its frontier moves. So once the router is past an
    event, all that it made of it lies before the ends, as they are then, of the topics that it
    writes; once the decider is past those ends, the same holds of the next topics. What is
    waited for is more than asked, as others write there too, and never less.
    """

    def __init__(self, settings: Settings, owners: Owners) -> None:
        self._partitions = settings.partitions
        self._kafka = settings.brokers
        self._owners = owners
        topics = {topic for passed in PASSED.values() for topic in passed}
        self._ends = Ends(settings.brokers, topics)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._open.enter_async_context(self._ends)
        except KafkaError as error:
            raise kafka_away(self._kafka, error) from error
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._open.aclose()

    async def before(self, role: str, user: str, position: str | None) -> Mapping[str, int]:
        """The offsets by topic, in the user's partition, that the role must have done before.

        Waits until the roles before it have done their part; raises Unavailable where they do
        not within the time, and Problem for what is no position.
        """
        places = places_of(position, self._partitions)
        after = dict(places.own)
        if not places.routed:
            return after
        here = partition_of(user, self._partitions)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await asyncio.gather(
                    *(
                        self._owners.wait(CHAIN[0], number, offsets)
                        for number, offsets in places.routed.items()
                    )
                )
                for writer, reader in pairwise(CHAIN):
                    if writer != CHAIN[0]:
                        await self._owners.wait(writer, here, after)
                    after |= await self._ends_of(PASSED[reader], here)
                    if reader == role:
                        break
        except KafkaError as error:
            raise kafka_away(self._kafka, error) from error
        except TimeoutError:
            raise Unavailable(
                f"What was written is not handled within {TIMEOUT_SECONDS:g} s. It is not lost: "
                "read again with the same position, or without it what is there now."
            ) from None
        return after

    async def _ends_of(self, topics: Iterable[str], number: int) -> dict[str, int]:
        ends = await self._ends.of(TopicPartition(topic, number) for topic in topics)
        return {tp.topic: end for tp, end in ends.items()}
