"""Records of a company whose producers stand on librdkafka, and know nothing of our partitions."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, Message, Producer

from embedded.local_stack import LocalStack
from tests.placements import PLACEMENTS

USERS = 12
ACTORS = 5
TIMES = 2
"""Events of each actor to each user."""
DEVICES = 3
"""How often each user changes their device."""
CATALOGUE = """
event = "order.shipped"
[types.order_shipped]
category = "orders"
priority = "high"
transactional = true
channels = ["push"]
users = "customer_id"
time_to_live = "1d"
rate_limit = { count = 1000, seconds = 1 }
templates.push.title = "Order {{ data.order_id }}"
templates.push.body = "It is on its way."
"""
"""A company's only type of notification."""
CODECS = dict(zip(PLACEMENTS, cycle(("snappy", "lz4", "zstd", "gzip", "none")), strict=False))
"""How each placement's producer compresses."""


class Written(NamedTuple):
    """A record that the broker took: what it is, and where it stands."""

    topic: str
    key: str
    value: dict[str, Any]
    partition: int
    offset: int


@dataclass
class Company:
    """Its users with their devices, and what happens to them; all names begin with its own."""

    name: str
    placement: str
    house: LocalStack
    producer: Producer
    written: list[Written] = field(default_factory=list)

    @property
    def users(self) -> list[str]:
        """Everybody."""
        return [f"{self.name}-user-{number}" for number in range(USERS)]

    def device(self, user: str, change: int) -> str:
        """The token of a user's only device after so many changes."""
        return f"{user}-device-{change}"

    async def write_contacts(self, change: int) -> None:
        """Each user has another device than before."""
        for user in self.users:
            devices = [{"token": self.device(user, change)}]
            await self._write("contacts", user, {"user": user, "devices": devices})
        await self.flush()

    async def write_events(self) -> AsyncIterator[int]:
        """Each actor's events to each user, after every round of users the number of the round."""
        for number, (actor, user) in enumerate(self._pairs()):
            value = {
                "id": f"{self.name}-{number}",
                "type": "order.shipped",
                "actor": actor,
                "occurred_at": datetime.now(UTC).isoformat(),
                "data": {
                    "customer_id": user,
                    "order_id": str(number),
                    "carrier": "DHL",
                    "tracking_number": "1",
                },
            }
            await self._write("events", actor, value)
            if number % USERS == USERS - 1:
                await self.flush()
                yield number // USERS

    async def flush(self) -> None:
        """On return the broker has all of it."""
        await asyncio.to_thread(self.producer.flush)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for _ in range(TIMES):
            for number in range(ACTORS):
                for user in self.users:
                    yield f"{self.name}-shop-{number}", user

    async def _write(self, topic: str, key: str, value: dict[str, Any]) -> None:
        partitions = self.house.settings.partitions
        name, partition = PLACEMENTS[self.placement](len(self.written), key, partitions)
        # Its own default decides where it is what the test is about.
        chosen = {} if self.placement == "librdkafka" else {"partition": partition}

        def taken(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            at, offset = message.partition(), message.offset()
            assert at == partition, "the test's own idea of this placement is wrong"
            self.written.append(Written(topic, key, value, at, offset))

        self.producer.produce(
            topic, json.dumps(value).encode(), key=name, on_delivery=taken, **chosen
        )
        await asyncio.sleep(0)


@asynccontextmanager
async def company(house: LocalStack, name: str, placement: str) -> AsyncIterator[Company]:
    """A company with a producer of its own, which is gone after the block: the broker has all."""
    options = {"bootstrap.servers": house.kafka.address, "acks": "all"}
    producer = Producer({**options, "compression.type": CODECS[placement]})
    here = Company(name, placement, house, producer)
    try:
        yield here
    finally:
        await here.flush()
        del here.producer  # it would tell on standard error when the broker ends
