"""What was written to the topics while a test ran."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from msgspec import Raw, Struct

from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.inbox import Live, Message
from schemas.kinds import kind_of, name_in
from schemas.topics import DEAD_LETTERS, DELIVER, DELIVERY_EVENTS, LIVE, Topic
from schemas.vocabulary import Channel, Priority

Value = TypeVar("Value", bound=Struct)


@dataclass(kw_only=True)
class Transcript:
    """Reads all topics from where they ended when the test began."""

    consumer: AIOKafkaConsumer
    starts: dict[TopicPartition, int]

    async def read(self, topic: Topic, kind: type[Value]) -> list[Value]:
        """The values that were written to a topic since the test began."""
        decode = msgspec.json.Decoder(kind).decode_lines
        return [value for record in await self.raw(topic, kind) for value in decode(record.value)]

    async def raw(self, topic: Topic, kind: type[Any] | None = None) -> list[ConsumerRecord]:
        """The records that were written to a topic since the test began; all, or of one kind."""
        tps = [tp for tp in self.starts if tp.topic == topic.name]
        records = [record for tp in tps for record in await self.fetch(tp, self.starts[tp])]
        if kind is None or not topic.kinds:
            return records
        name = name_in(topic.name, kind)
        return [record for record in records if kind_of(record.value or b"") == name]

    async def fetch(self, tp: TopicPartition, start: int) -> list[ConsumerRecord]:
        """The records of a partition from an offset to what is now its end."""
        end = (await self.consumer.end_offsets([tp]))[tp]
        records: list[ConsumerRecord] = []
        if start < end:
            self.consumer.seek(tp, start)
            self.consumer.resume(tp)
            while await self.consumer.position(tp) < end:
                records += (await self.consumer.getmany(tp, timeout_ms=50)).get(tp, [])
            self.consumer.pause(tp)
        return records

    async def deliveries(self, channel: Channel) -> list[Delivery]:
        """The deliveries of a channel, most urgent first."""
        found = [await self.read(DELIVER[channel, priority], Delivery) for priority in Priority]
        return [delivery for deliveries in found for delivery in deliveries]

    async def told(self) -> list[DeliveryEvent]:
        """The delivery events."""
        return await self.read(DELIVERY_EVENTS, DeliveryEvent)

    async def shown_to(self, user: str) -> list[Message]:
        """What was told to whoever shows a user's inbox."""
        live = [each.message for each in await self.read(LIVE, Live[Raw]) if each.user == user]
        return [msgspec.json.decode(message, type=Message) for message in live]

    async def letters(self) -> list[DeadLetter]:
        """The dead letters."""
        return await self.read(DEAD_LETTERS, DeadLetter)


def by(values: Iterable[Value], *fields: str) -> dict[Any, list[Value]]:
    """The values grouped by their fields; a single field is not in a tuple."""
    groups: dict[Any, list[Value]] = defaultdict(list)
    for value in values:
        at = tuple(getattr(value, name) for name in fields)
        groups[at[0] if len(at) == 1 else at].append(value)
    return dict(groups)
