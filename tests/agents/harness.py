"""A stage for the roles: real topics and state, and the slices that a worker would hand them.

Topics are shared by all tests, so a stage begins where they end now, and its users, events and
actors bear names that no other test has.
"""

import asyncio
import os
import shutil
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from msgspec import Raw, Struct

from agents.decider import decider
from agents.inapp import inapp
from agents.retry import retry
from agents.router import router
from pipeline.catalogue_folder import FixedCatalogue, read_catalogue
from pipeline.lanes import ALL_READ, Handler, ReadTo
from pipeline.outputs import partition_of
from pipeline.partitions import Role
from pipeline.producer import Producer, start_producer
from pipeline.runtime import Runtime
from pipeline.settings import Settings
from pipeline.slices import RECORDS, Slice, cut
from pipeline.topic_creation import create_topics
from pipeline.topics import (
    BROADCASTS,
    CANCELLATIONS,
    CANCELLED,
    CONTACTS,
    DEAD_LETTERS,
    DELIVER,
    DELIVERY_EVENTS,
    DEVICES,
    ERASURES,
    EVENTS,
    FEEDBACK,
    FOLLOWING,
    FOLLOWS,
    HINTS,
    INBOX_CHANGES,
    LIVE,
    OUTBOX,
    PREFERENCES,
    PRESENCE,
    REQUESTS,
    RETRIES,
    STOPS,
    SUBSCRIPTIONS,
    SUPPRESSIONS,
    TOPICS,
    WITHDRAWALS,
    Topic,
)
from policy.catalogue import Catalogue
from schemas.cancellation import Cancellation
from schemas.dead_letter import DeadLetter
from schemas.delivery import Content, Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.erasure import Erasure
from schemas.event import Event
from schemas.feedback import Feedback
from schemas.follow import Follow
from schemas.hint import Hint
from schemas.inbox_change import InboxChange
from schemas.live import Live, Message
from schemas.post import Post
from schemas.profile import Contacts, Device, DeviceChange, Preferences, Presence
from schemas.request import Broadcast, Request
from schemas.subscription import Subscription
from schemas.suppression import Stop, Suppression
from schemas.vocabulary import Channel, Priority
from schemas.withdrawal import Withdrawal

PARTITIONS = 2
CATALOGUE = Path(__file__).parents[2] / "catalogue"
KINDS: dict[str, type[Struct]] = {
    EVENTS.name: Event,
    FOLLOWS.name: Follow,
    FOLLOWING.name: Follow,
    PREFERENCES.name: Preferences,
    CONTACTS.name: Contacts,
    DEVICES.name: DeviceChange,
    PRESENCE.name: Presence,
    CANCELLATIONS.name: Cancellation,
    CANCELLED.name: Cancellation,
    ERASURES.name: Erasure,
    FEEDBACK.name: Feedback,
    HINTS.name: Hint,
    INBOX_CHANGES.name: InboxChange,
    LIVE.name: Live[Raw],
    OUTBOX.name: Post,
    STOPS.name: Stop,
    SUBSCRIPTIONS.name: Subscription,
    SUPPRESSIONS.name: Suppression,
    WITHDRAWALS.name: Withdrawal,
    DEAD_LETTERS.name: DeadLetter,
    DELIVERY_EVENTS.name: DeliveryEvent,
    **{topic.name: Request for topic in REQUESTS.values()},
    **{topic.name: Broadcast for topic in BROADCASTS.values()},
    **{topic.name: Delivery for topic in (*RETRIES.values(), *DELIVER.values())},
}
"""What each topic's values are."""
INPUTS = [TopicPartition(name, number) for name in KINDS for number in range(PARTITIONS)]
RUN = f"{os.getpid():x}{time.time_ns():x}"
names = count()
encode = msgspec.json.Encoder().encode
Value = TypeVar("Value", bound=Struct)


@cache
def our_catalogue() -> Catalogue:
    """The catalogue that ships with the code."""
    return read_catalogue(CATALOGUE)


def unique(name: str) -> str:
    """A name that no other test, and no other run on the same Kafka, uses."""
    return f"{name}-{RUN}-{next(names)}"


class ShiftedClock:
    """The machine's clock, ahead of it by as many milliseconds as a test says."""

    ahead = 0

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000 + self.ahead


@dataclass(frozen=True)
class Line:
    """One producer and one reader of all topics, for all tests."""

    kafka: str
    producer: Producer
    consumer: AIOKafkaConsumer


@asynccontextmanager
async def line_to(kafka: str) -> AsyncIterator[Line]:
    """Create all topics, with few partitions, and connect."""
    await create_topics(Settings(kafka=kafka, partitions=PARTITIONS), TOPICS)
    producer = await start_producer(kafka)
    consumer = AIOKafkaConsumer(
        *KINDS,
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        fetch_max_wait_ms=20,
        max_partition_fetch_bytes=9 << 20,
    )
    await consumer.start()
    try:
        yield Line(kafka, producer, consumer)
    finally:
        await consumer.stop()
        await producer.stop()


@dataclass
class Stage:
    """Runs roles by hand over what a test writes, and reads what they write."""

    runtime: Runtime
    producer: Producer
    clock: ShiftedClock
    consumer: AIOKafkaConsumer
    starts: dict[TopicPartition, int]
    done: dict[TopicPartition, int] = field(default_factory=dict)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    catalogue: Catalogue = field(default_factory=our_catalogue)
    _handlers: dict[tuple[str, int], Handler] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The settings of every role on this stage."""
        return self.runtime.settings

    async def say(
        self,
        topic: Topic,
        *values: Struct | bytes | None,
        key: str | None = "",
        partition: int | None = None,
    ) -> None:
        """Write records; a struct goes under the field that the topic's key is, unless given."""
        for value in values:
            name = getattr(value, topic.key, "none") if key == "" else key
            place = partition_of(name or "", PARTITIONS) if partition is None else partition
            await self.producer.send_and_wait(
                topic.name,
                encode(value) if isinstance(value, Struct) else value,
                None if name is None else name.encode(),
                place,
            )

    async def work(self, *roles: Role, read_to: ReadTo = lambda _: ALL_READ) -> None:
        """Let each role in turn handle all that its topics hold, slice by slice, as lanes do.

        What was in hand when the last process ended comes first, and at the end what is due by
        then, by the clock and by what is said to be read.
        """
        for role in roles:
            for number in range(PARTITIONS):
                await self._finish(await self.handler(role, number), number)
            await self._handle_all(role)
            for number in range(PARTITIONS):
                handler = await self.handler(role, number)
                while await handler.wake(read_to) == 0:
                    pass

    async def _handle_all(self, role: Role) -> None:
        tps = [TopicPartition(topic, at) for topic in role.topics for at in range(PARTITIONS)]
        ends = await self.consumer.end_offsets(tps)
        for tp in tps:
            # Most topics hold nothing, and asking for each by itself is most of a test's time.
            if ends[tp] <= self.done.get(tp, self.starts[tp]):
                continue
            for slice_ in await self.slices(role, tp):
                await (await self.handler(role, tp.partition)).handle(slice_)
                self.done[slice_.partition] = slice_.next
            ends = await self.consumer.end_offsets(tps)

    async def _finish(self, handler: Handler, number: int) -> None:
        await handler.wake(lambda _: 0)
        if (first := handler.first) is not None:
            tp = TopicPartition(first.topic, number)
            records = [r for r in await self.fetch(tp, first.start) if r.offset < first.end]
            (slice_,) = cut(tp, 0, first.start, records)
            await handler.handle(slice_)
            self.done[tp] = first.end

    async def slices(self, role: Role, tp: TopicPartition) -> list[Slice]:
        """The slices that are still to be handled."""
        start = self.done.get(tp, self.starts[tp])
        records = await self.fetch(tp, start)
        return list(cut(tp, 0, start, records, role.slice_records.get(tp.topic, RECORDS)))

    def again(self, *topics: Topic) -> None:
        """Have the topics handled from the stage's start once more, as after a crash."""
        for tp in [tp for tp in self.done if tp.topic in {topic.name for topic in topics}]:
            del self.done[tp]

    async def handler(self, role: Role, number: int) -> Handler:
        """The role's handler of a partition, restored when it is first asked for."""
        if (role.name, number) not in self._handlers:
            handler = role.open_handler(number, self.closing)
            await handler.restore()
            self._handlers[role.name, number] = handler
        return self._handlers[role.name, number]

    async def restart(self, *, keep_disk: bool = True) -> None:
        """Close every handler; those opened next restore what was stored."""
        for handler in self._handlers.values():
            await handler.close()
        self._handlers.clear()
        if not keep_disk:
            shutil.rmtree(self.settings.data_dir)

    async def read(self, topic: Topic, kind: type[Value]) -> list[Value]:
        """The values that were written to a topic since the stage began."""
        decode = msgspec.json.Decoder(kind).decode_lines
        return [value for record in await self.raw(topic) for value in decode(record.value)]

    async def raw(self, topic: Topic) -> list[ConsumerRecord]:
        """The records that were written to a topic since the stage began."""
        tps = [tp for tp in self.starts if tp.topic == topic.name]
        return [record for tp in tps for record in await self.fetch(tp, self.starts[tp])]

    async def fetch(self, tp: TopicPartition, start: int) -> list[ConsumerRecord]:
        """The records of a partition from an offset to what is now its end."""
        end = (await self.consumer.end_offsets([tp]))[tp]
        records: list[ConsumerRecord] = []
        if start < end:
            self.consumer.seek(tp, start)
            while await self.consumer.position(tp) < end:
                records += (await self.consumer.getmany(tp, timeout_ms=50)).get(tp, [])
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

    @property
    def router(self) -> Role:
        """The role, anew."""
        return router(FixedCatalogue(self.catalogue), self.runtime)

    @property
    def decider(self) -> Role:
        """The role, anew."""
        return decider(FixedCatalogue(self.catalogue), self.runtime)

    @property
    def inapp(self) -> Role:
        """The role, anew."""
        return inapp(self.runtime)

    @property
    def retry(self) -> Role:
        """The role, anew."""
        return retry(self.runtime)


@asynccontextmanager
async def staging(line: Line, folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    """A stage that begins at the present ends of all topics."""
    chosen = Settings(kafka=line.kafka, partitions=PARTITIONS, data_dir=folder, **settings)
    clock = ShiftedClock()
    starts = await line.consumer.end_offsets(INPUTS)
    runtime = Runtime(chosen, line.producer, clock)
    stage = Stage(runtime, line.producer, clock, line.consumer, starts)
    try:
        yield stage
    finally:
        await stage.restart()


def event(kind: str, data: Mapping[str, Any], **fields: Any) -> Event:
    """An event that happened just now."""
    values = {
        "id": unique("event"),
        "type": kind,
        "actor": unique("actor"),
        "occurred_at": datetime.now(UTC),
        "data": dict(data),
    }
    return Event(**{**values, **fields})


def order_shipped(customer: str | list[str], **fields: Any) -> Event:
    """Somebody's order left the warehouse."""
    data = {"customer_id": customer, "order_id": "77", "carrier": "DHL", "tracking_number": "JD1"}
    return event("order.shipped", data, **fields)


def reachable(user: str, **fields: Any) -> Contacts:
    """Contacts on every channel: one device, an e-mail address and a phone."""
    values = {
        "devices": (Device(token=f"token-{user}"),),
        "email": f"{user}@example.com",
        "phone": "+15005550009",
    }
    return Contacts(user=user, **{**values, **fields})


def follow(follower: str, followee: str, following: bool = True) -> Follow:
    """One follows the other, or no longer does."""
    return Follow(follower=follower, followee=followee, at=datetime.now(UTC), following=following)


def delivery(clock: ShiftedClock, **fields: Any) -> Delivery:
    """A push on its way to a user of its own."""
    user = unique("user")
    now = clock.now()
    values = {
        "delivery_id": os.urandom(16).hex(),
        "notification_id": os.urandom(16).hex(),
        "event_id": unique("event"),
        "type": "order_shipped",
        "category": "orders",
        "user": user,
        "channel": Channel.PUSH,
        "priority": Priority.HIGH,
        "address": f"token-{user}",
        "content": Content(title="Your order", body="It is on its way"),
        "occurred_at": now,
        "accepted_at": now,
        "expires_at": now + 3_600_000,
    }
    return Delivery(**{**values, **fields})


def by(values: Iterable[Value], *fields: str) -> dict[Any, list[Value]]:
    """The values grouped by their fields; a single field is not in a tuple."""
    groups: dict[Any, list[Value]] = defaultdict(list)
    for value in values:
        at = tuple(getattr(value, name) for name in fields)
        groups[at[0] if len(at) == 1 else at].append(value)
    return dict(groups)


def users_of(partition: int, number: int) -> list[str]:
    """So many users whose state is in a partition."""
    return _until(number, lambda user: partition_of(user, PARTITIONS) == partition)


def _until(number: int, fits: Callable[[str], bool]) -> list[str]:
    found: list[str] = []
    while len(found) < number:
        if fits(user := unique("user")):
            found.append(user)
    return found


@asynccontextmanager
async def relayed(port: int, to: int) -> AsyncIterator[None]:
    """Have one port of the loopback answer as another does."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    server = await asyncio.start_server(relay, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
