"""What every handler of the API works with."""

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from pipeline.catalogue_folder import Catalogues
from pipeline.clock import Clock
from pipeline.outputs import Log, Outputs, partition_of
from pipeline.settings import Settings
from pipeline.topics import CONTACTS, DELIVER, DEVICES, ERASURES, INBOX_CHANGES, PREFERENCES, Topic
from policy.explanation import Explanation
from policy.user.known import Known
from schemas.encoding import encode
from schemas.event import Event
from schemas.question import Explain, ReadUser
from schemas.vocabulary import Channel, Priority
from web.api.problem import Problem
from web.owners import Owners
from web.patience import in_time

DECIDER = "decider"
_AGAIN = ". It may have it all the same: send it again with the same id."
_OFFSET = re.compile(r"[0-9]{1,18}")
_INBOX = (DELIVER[Channel.INAPP, priority] for priority in Priority)
_READ_BACK = {
    topic.name for topic in (CONTACTS, DEVICES, ERASURES, INBOX_CHANGES, PREFERENCES, *_INBOX)
}


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
        self.clickhouse = ClickHouse(settings)
        self._producer = producer

    async def known(self, tenant: str, user: str, after: Mapping[str, int] | None = None) -> Known:
        """What is known of a user, from their own partition; raises Unavailable."""
        asked = ReadUser(tenant=tenant, user=user)
        return await self.owners.ask(DECIDER, user, asked, Known, after)

    async def explain(self, event: Event, user: str) -> list[Explanation]:
        """What would become of an event for a user; raises Unavailable and BadRecord."""
        question = Explain(event=event, user=user)
        return await self.owners.ask(DECIDER, user, question, list[Explanation])

    async def write(self, topic: Topic, value: Struct) -> Position:
        """Write a record under its key; on return the broker has it. Raises Unavailable."""
        here, key = self._place(topic, value)
        end = await in_time(self._producer.write(topic.name, here, [(key, encode(value))]), _AGAIN)
        return Position(f"{topic.name}:{end}")

    async def write_all(self, topic: Topic, values: Iterable[Struct]) -> None:
        """Write records, those of a partition together; on return the broker has all of them.

        Raises Unavailable; then it must not be assumed that none was written.
        """
        outputs = Outputs(self._producer)
        for value in values:
            outputs.add(topic, *self._place(topic, value), encode(value))
        await in_time(outputs.flush(), _AGAIN)

    def _place(self, topic: Topic, value: Struct) -> tuple[int, bytes]:
        key = str(getattr(value, topic.key))
        return partition_of(key, self.settings.partitions), key.encode()


def after_of(positions: str | None) -> Mapping[str, int]:
    """The offsets of positions that we gave out, separated by commas; raises Problem."""
    found: dict[str, int] = {}
    for position in positions.split(",") if positions else ():
        topic, colon, offset = position.strip().partition(":")
        if not colon or topic not in _READ_BACK or not _OFFSET.fullmatch(offset):
            raise Problem(400, "after is not made of positions that writes were answered with.")
        found[topic] = max(int(offset), found.get(topic, 0))
    return found
