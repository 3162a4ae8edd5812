"""What every handler of the API works with."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from analytics.clickhouse import ClickHouse
from pipeline.catalogue_folder import Catalogues
from pipeline.clock import Clock
from pipeline.producing.outputs import Log, Outputs, partition_of
from pipeline.settings import Settings
from policy.decision.explanation import Explanation
from policy.user.user_view import Known
from schemas.event import Event
from schemas.kinds import encode_in
from schemas.question import Explain, ReadUser
from schemas.topics import Topic
from web.api.audit import Trail
from web.api.clickhouse import SoonOrNever
from web.http.rate_limits import Limits
from web.workers.ack_timeout import in_time
from web.workers.handled import Handled
from web.workers.partition_router import Owners
from web.workers.position import Position, written

DECIDER = "decider"
_AGAIN = ". It may have it all the same: send it again with the same id."


class Services:
    """Writes to Kafka and asks those who know."""

    def __init__(
        self,
        settings: Settings,
        producer: Log,
        owners: Owners,
        handled: Handled,
        catalogues: Catalogues,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.owners = owners
        self.handled = handled
        self.catalogues = catalogues
        self.clock = clock
        self.clickhouse: ClickHouse = SoonOrNever(settings)
        self.exports = ClickHouse(settings)
        """For what takes its time: all of a user, read by nobody who waits."""
        self.limits = Limits(owners)
        self.trail = Trail(producer, settings.partitions, clock)
        self._producer = producer

    async def known(self, tenant: str, user: str, position: str | None = None) -> Known:
        """What is known of a user, from their own partition; raises Unavailable and Problem."""
        asked = ReadUser(tenant=tenant, user=user)
        after = await self.handled.before(DECIDER, user, position)
        return await self.owners.ask(DECIDER, user, asked, Known, after)

    async def decided(
        self, users: Collection[str], position: str | None
    ) -> Mapping[str, Mapping[str, int]]:
        """By user, the offsets that the decider must have done to know what is at the position.

        Waits until the roles before it have done their part, once a partition. Raises Unavailable
        where they do not in time, and Problem for what is no position.
        """
        if position is None:
            return {}
        partitions = self.settings.partitions
        by_partition = {partition_of(user, partitions): user for user in users}
        waits = (self.handled.before(DECIDER, user, position) for user in by_partition.values())
        after = dict(zip(by_partition, await asyncio.gather(*waits), strict=True))
        return {user: after[partition_of(user, partitions)] for user in users}

    async def explain(
        self, event: Event, user: str, after: Mapping[str, int] | None = None
    ) -> list[Explanation]:
        """What would become of an event for a user; raises Unavailable and BadRecord."""
        question = Explain(event=event, user=user)
        return await self.owners.ask(DECIDER, user, question, list[Explanation], after)

    async def write(self, topic: Topic, value: Struct) -> Position:
        """Write a record under its key; on return the broker has it. Raises Unavailable."""
        here, key = self._place(topic, value)
        entry = key, encode_in(topic.name, value)
        end = await in_time(self._producer.write(topic.name, here, [entry]), _AGAIN)
        return Position(f"{topic.name}:{end}")

    async def route_all(self, topic: Topic, values: Iterable[Struct]) -> Position:
        """Write records that the router reads; the position after all of them, as `write_all`."""
        return Position(written(await self.write_all(topic, values)))

    async def write_all(
        self, topic: Topic, values: Iterable[Struct]
    ) -> Mapping[tuple[str, int], int]:
        """Write records, those of a partition together; on return the broker has all of them.

        By topic and partition, the offset after the last one. Raises Unavailable; then it must not
        be assumed that none was written.
        """
        outputs = Outputs(self._producer)
        for value in values:
            outputs.add(topic, *self._place(topic, value), encode_in(topic.name, value))
        return await in_time(outputs.flush(), _AGAIN)

    def _place(self, topic: Topic, value: Struct) -> tuple[int, bytes]:
        key = str(getattr(value, topic.key))
        return partition_of(key, self.settings.partitions), key.encode()
