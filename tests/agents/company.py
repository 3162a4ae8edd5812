"""A company with a topic of its own, which it writes with librdkafka's defaults."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiokafka import TopicPartition
from aiokafka.admin import NewPartitions, NewTopic
from confluent_kafka import Producer

from agents.intake.sources import Sources
from pipeline.admin.end_offsets import Ends
from pipeline.catalogue_folder import Catalogues, FixedCatalogue
from pipeline.kafka.clients import administrator
from policy.catalogue.catalogue import Catalogue, parse
from schemas.topics import group_of
from tests.agents.names import unique
from tests.agents.stage import CATALOGUE, Stage
from tests.patience import in_time, until_told

SHIPPED = """
[sources.{name}]
topics = ["{topic}"]
into = "events"
start = "beginning"
when = "status == 'shipped'"
[sources.{name}.set]
type = "order.shipped"
actor = "{{{{ shop }}}}"
data = {{ customer_id = "{{{{ customer }}}}", order_id = "{{{{ order }}}}", carrier = "UPS" }}
"""
_OURS = {path.name: path.read_text() for path in CATALOGUE.glob("*.toml")}


class Company:
    """One topic and one source that reads it, by names that no other test has."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.kafka = stage.settings.kafka
        self.topic = unique("shop.orders")
        self.source = unique("orders")

    def catalogue(self, text: str = SHIPPED, **values: str) -> Catalogue:
        """The catalogue that is shipped, with this source."""
        named = {"name": self.source, "topic": self.topic} | values
        return parse(_OURS | {"source.toml": text.format(**named)})

    async def create(self, partitions: int = 3) -> None:
        """Make the topic; on return the brokers know it."""
        async with administrator(self.kafka) as admin:
            await admin.create_topics([NewTopic(self.topic, partitions, 1)])
        await self._is_made(partitions)

    async def grow(self, partitions: int) -> None:
        """Give it more partitions."""
        async with administrator(self.kafka) as admin:
            await admin.create_partitions({self.topic: NewPartitions(total_count=partitions)})
        await self._is_made(partitions)

    async def delete(self) -> None:
        """Delete it; on return it is gone."""
        async with administrator(self.kafka) as admin:
            await admin.delete_topics([self.topic])

            async def there() -> bool:
                return self.topic in await admin.list_topics()

            await until_told(there, lambda found: not found)

    async def _is_made(self, partitions: int) -> None:
        async with administrator(self.kafka) as admin:

            async def led() -> int:
                (found,) = await admin.describe_topics([self.topic])
                return sum(each["leader"] >= 0 for each in found["partitions"])

            await until_told(led, lambda count: count == partitions)

    async def write(self, *values: Any, **more: Any) -> None:
        """Write these, each under the key that `keys` has for it, or under none."""
        keys: Sequence[str | None] = more.pop("keys", [None] * len(values))
        failed: list[Any] = []
        producer = Producer({"bootstrap.servers": self.kafka})
        for key, value in zip(keys, values, strict=True):
            raw = value if isinstance(value, bytes | None) else orjson.dumps(value)
            told = lambda error, _: failed.append(error) if error else None  # noqa: E731
            producer.produce(self.topic, raw, key, on_delivery=told, **more)
        await asyncio.to_thread(producer.flush)
        assert not failed

    @asynccontextmanager
    async def reading(
        self, catalogue: Catalogue | Catalogues | None = None, **more: Any
    ) -> AsyncIterator[Sources]:
        """All partitions of all sources are read within the block."""
        found = self.catalogue() if catalogue is None else catalogue
        catalogues = FixedCatalogue(found) if isinstance(found, Catalogue) else found
        sources = Sources(catalogues, self.stage.runtime, look=0.1, **more)
        numbers = range(self.stage.settings.partitions)
        for number in numbers:
            sources.hold(number)
        try:
            async with in_time():
                yield sources
            sources.check()
        finally:
            for number in numbers:
                await sources.release(number)

    async def caught_up(self) -> None:
        """Wait until the source has committed all that the topic holds."""
        await until_told(self.left, lambda left: left == 0, pause=0.1)

    async def left(self) -> int:
        """Records that the source has not committed yet."""
        async with administrator(self.kafka) as admin, Ends(self.kafka, [self.topic]) as ends:
            (found,) = await admin.describe_topics([self.topic])
            tps = [TopicPartition(self.topic, at) for at in range(len(found["partitions"]))]
            done = await admin.list_consumer_group_offsets(group_of(f"source-{self.source}"))
            now = await ends.of(tps)
            return sum(now[tp] - (done[tp].offset if tp in done else 0) for tp in tps)

    async def has_begun(self) -> bool:
        """Whether it is kept since when there is the source."""
        async with administrator(self.kafka) as admin:
            return bool(await admin.list_consumer_group_offsets(group_of(f"source-{self.source}")))

    async def forget(self) -> None:
        """Have nobody remember how far the topic was read, as after a kill before any commit."""
        async with administrator(self.kafka) as admin:
            await admin.delete_consumer_groups([group_of(f"source-{self.source}")])
