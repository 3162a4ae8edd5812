"""What every handler of the API works with."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from pipeline.catalogue_folder import Catalogues
from pipeline.clock import Clock
from pipeline.errors import Unavailable
from pipeline.outputs import Log, partition_of
from pipeline.producer import Entry
from pipeline.settings import Settings
from pipeline.topics import CONTACTS, DELIVER, DEVICES, INBOX_CHANGES, PREFERENCES, Topic
from schemas.vocabulary import Channel, Priority
from web.api.problem import Problem
from web.owners import Owners

PATIENCE = 5.0
"""Seconds for an acknowledgement: whoever calls must not wait as long as a worker can."""
_INBOX = (DELIVER[Channel.INAPP, priority] for priority in Priority)
_READ_BACK = {topic.name for topic in (CONTACTS, DEVICES, INBOX_CHANGES, PREFERENCES, *_INBOX)}
_encode = msgspec.json.Encoder().encode


class Position(Struct, frozen=True):
    """Where something was written. Passed on as `after`, it is read back for sure."""

    position: str


class Desk:
    """Writes to Kafka and asks those who know."""

    def __init__(
        self,
        settings: Settings,
        producer: Log,
        owners: Owners,
        catalogues: Catalogues,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.owners = owners
        self.catalogues = catalogues
        self.clock = clock
        self._producer = producer

    async def write(self, topic: Topic, value: Struct) -> Position:
        """Write a record under its key; on return the broker has it. Raises Unavailable."""
        (end,) = await self._write(topic, [value])
        return Position(f"{topic.name}:{end}")

    async def write_all(self, topic: Topic, values: Sequence[Struct]) -> None:
        """Write records, those of a partition together; on return the broker has all of them.

        Raises Unavailable; then it must not be assumed that none was written.
        """
        await self._write(topic, values)

    async def _write(self, topic: Topic, values: Sequence[Struct]) -> list[int]:
        entries: dict[int, list[Entry]] = {}
        for value in values:
            key = str(getattr(value, topic.key))
            here = partition_of(key, self.settings.partitions)
            entries.setdefault(here, []).append((key.encode(), _encode(value)))
        try:
            async with asyncio.timeout(PATIENCE):
                write = self._producer.write
                if len(entries) == 1:
                    ((here, some),) = entries.items()
                    return [await write(topic.name, here, some)]
                writes = (write(topic.name, here, some) for here, some in entries.items())
                return await asyncio.gather(*writes)
        except TimeoutError:
            raise Unavailable(
                f"Kafka did not acknowledge within {PATIENCE:g} s. It may have it all the same: "
                "send it again with the same id."
            ) from None


def after_of(positions: str | None) -> Mapping[str, int]:
    """The offsets of positions that we gave out, separated by commas; raises Problem."""
    found: dict[str, int] = {}
    for position in positions.split(",") if positions else ():
        topic, colon, offset = position.strip().partition(":")
        if not colon or topic not in _READ_BACK or not offset.isdecimal():
            raise Problem(400, "after is not made of positions that writes were answered with.")
        found[topic] = max(int(offset), found.get(topic, 0))
    return found
