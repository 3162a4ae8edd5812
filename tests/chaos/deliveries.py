"""Deliveries written straight into a channel's topics, and what providers took of them."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b

import msgspec

from embedded.local_stack import LocalStack
from embedded.simulators.accept_log import Accepted, read_accept_log
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer, start_producer
from pipeline.producing.write_queue import Entry
from schemas.delivery import Content, Delivery
from schemas.topics import DELIVER
from schemas.vocabulary import Channel, Priority

ADDRESSES = {
    Channel.PUSH: "device-{}",
    Channel.EMAIL: "user{}@example.com",
    Channel.SMS: "+1500555{:04d}",
}
CHUNK = 5000
"""Deliveries that are written together."""
encode = msgspec.json.Encoder().encode


class Deliveries:
    """So many deliveries of one channel and priority, each to a user of its own."""

    def __init__(self, name: str, channel: Channel, priority: Priority, count: int) -> None:
        self.name = name
        self.channel = channel
        self.priority = priority
        self.count = count

    def id_of(self, number: int) -> str:
        """The delivery id of this number."""
        return blake2b(f"{self.name}-{number}".encode(), digest_size=16).hexdigest()

    def ids(self) -> Iterator[str]:
        """All delivery ids."""
        return (self.id_of(number) for number in range(self.count))

    def delivery(self, number: int) -> Delivery:
        """The delivery of this number, made now."""
        now = time.time_ns() // 1_000_000
        return Delivery(
            delivery_id=self.id_of(number),
            notification_id=self.id_of(number),
            event_id=f"{self.name}-{number}",
            type="order_shipped",
            category="orders",
            user=f"{self.name}-{number}",
            channel=self.channel,
            priority=self.priority,
            address=ADDRESSES[self.channel].format(number % 10_000),
            content=Content(title="Your order", body=f"Order {number} is on its way"),
            occurred_at=now,
            accepted_at=now,
            expires_at=now + 7_200_000,
        )


@asynccontextmanager
async def producing(house: LocalStack) -> AsyncIterator[Producer]:
    """A producer to the house's Kafka."""
    producer = await start_producer(house.kafka.address)
    try:
        yield producer
    finally:
        await producer.stop()


async def write(
    house: LocalStack, producer: Producer, wanted: Deliveries, numbers: Sequence[int]
) -> None:
    """Write the deliveries of these numbers; on return the broker has them."""
    topic, partitions = DELIVER[wanted.channel, wanted.priority].name, house.settings.partitions
    for start in range(0, len(numbers), CHUNK):
        entries: dict[int, list[Entry]] = {}
        for number in numbers[start : start + CHUNK]:
            said = wanted.delivery(number)
            place = partition_of(said.user, partitions)
            entries.setdefault(place, []).append((said.user.encode(), encode(said)))
        for place, batch in entries.items():
            await producer.write(topic, place, batch)


def accepted(house: LocalStack, ids: Iterable[str]) -> dict[str, list[Accepted]]:
    """What providers took of these deliveries, by delivery id."""
    found: dict[str, list[Accepted]] = {name: [] for name in ids}
    for line in read_accept_log(house.accept_log):
        if line.delivery_id in found:
            found[line.delivery_id].append(line)
    return found


def by_provider(taken: dict[str, list[Accepted]]) -> Counter[str]:
    """How many each provider took."""
    return Counter(line.provider for lines in taken.values() for line in lines)
