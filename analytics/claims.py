"""What Kafka held in a span of time, put into a table beside what ClickHouse made of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any
from uuid import uuid4

import msgspec
from aiokafka import ConsumerRecord

from analytics.clickhouse import ClickHouse
from analytics.erasure import Erased
from pipeline.kafka.brokers import Kafka
from pipeline.processing.misplaced import place_of
from pipeline.records.history import History
from policy.audience.audience import recipients
from policy.catalogue.catalogue import Catalogue
from policy.time.timestamps import epoch_ms, moment
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.misplaced import Misplaced
from schemas.request import Request
from schemas.topics import DEAD_LETTERS, DELIVER, DELIVERY_EVENTS, EVENTS, PLACED, REQUESTS

BLOCK = 100_000
"""Claims of one insert."""
_TABLE = """
CREATE TABLE [claims]
(kind LowCardinality(String), tenant LowCardinality(String), id String, origin String)
ENGINE = MergeTree ORDER BY (kind, id)
"""
COLUMNS = "kind", "tenant", "id", "origin"
PLACED_EVENTS = PLACED["router"]
Place = tuple[str, int, int]
_moved = msgspec.json.Decoder(Misplaced)
_lines = msgspec.json.Decoder(DeliveryEvent)
_delivery = msgspec.json.Decoder(Delivery)
_event = msgspec.json.Decoder(Event)
_letter = msgspec.json.Decoder(DeadLetter)
_request = msgspec.json.Decoder(Request)
_REQUESTS = frozenset(topic.name for topic in REQUESTS.values())


class Claims:
    """A table of what is claimed: `kind` is `happening`, `delivery`, `event` or `accepted`; what
    went to somebody who was erased since is `erased`, and claims nothing.

    Of what came by a source, `origin` is the company's record, as SOURCE/TOPIC/PARTITION/OFFSET.
    """

    def __init__(
        self, clickhouse: ClickHouse, name: str, erased: Erased, catalogue: Catalogue
    ) -> None:
        self.name = name
        self._catalogue = catalogue
        self.days: tuple[date, date] | None = None
        """The first and the last day (UTC) on which what was told of occurred."""
        self.told = 0
        """Lines of delivery events, repeats included."""
        self._clickhouse = clickhouse
        self._erased = erased
        self._rows: list[tuple[str, str, str, str]] = []
        self._undecided = frozenset[tuple[str, str]]()

    async def read(
        self, kafka: Kafka, begin: int, end: int, progress: Callable[[int, int], None]
    ) -> None:
        """Take in all that Kafka took from `begin` to `end` (epoch ms); raises Unavailable."""
        buried, self._undecided = await _buried(kafka, begin)
        topics = [EVENTS, PLACED_EVENTS, *DELIVER.values(), DELIVERY_EVENTS]
        async with History(kafka, topics, begin, end) as history:
            done = 0
            async for record in history.records():
                done += 1
                progress(done, history.total)
                if (record.topic, record.partition, record.offset) not in buried:
                    self._take(record, buried)
                if len(self._rows) >= BLOCK:
                    await self.store()
        await self.store()

    def add(self, kind: str, tenant: str, name: str, origin: str = "") -> None:
        """One more."""
        self._rows.append((kind, tenant, name, origin))

    async def store(self) -> None:
        """Write what was added."""
        rows, self._rows = self._rows, []
        if rows:
            await self._clickhouse.insert_rows(self.name, COLUMNS, rows)

    def _take(self, record: ConsumerRecord, buried: set[Place]) -> None:
        value = record.value or b""
        try:
            if record.topic == DELIVERY_EVENTS.name:
                self._hear(_lines.decode_lines(value))
            elif record.topic == EVENTS.name:
                self._expect(_event.decode(value), record.timestamp)
            elif record.topic == PLACED_EVENTS.name:
                self._expect_sourced(_moved.decode(value), buried)
            else:
                self._await(_delivery.decode(value))
        except (msgspec.DecodeError, UnicodeDecodeError, BadRecord):
            return  # a dead letter of a role that has not come to it yet

    def _hear(self, events: list[DeliveryEvent]) -> None:
        for event in self._erased.without(events):
            self.told += 1
            self.add("happening", event.tenant, event.id, event.origin)
            self._see(event.occurred_at)

    def _expect_sourced(self, moved: Misplaced, buried: set[Place]) -> None:
        """What a source made; all else that is placed stands in its own topic, too."""
        place = moved.topic, moved.partition, moved.offset
        if moved.source and moved.into == EVENTS.name and place not in buried:
            self._expect(_event.decode(moved.value), moved.accepted_at, place_of(moved))

    def _expect(self, event: Event, taken_at: int, origin: str = "") -> None:
        """Whom an event names must be told of it, or of why not; followers may be nobody."""
        if (event.tenant, event.id) in self._undecided:
            return
        named = {
            user
            for spec in self._catalogue.for_event(event)
            if spec.users or event.notify is not None
            for user in recipients(event, spec)
        }
        if any(not self._erased.covers(event.tenant, user, taken_at) for user in named):
            self.add("event", event.tenant, event.id, origin)
            self._see(epoch_ms(event.occurred_at))

    def _await(self, delivery: Delivery) -> None:
        if self._erased.covers(delivery.tenant, delivery.user, delivery.accepted_at):
            self.add("erased", "", delivery.delivery_id)
            return
        self.add("delivery", delivery.tenant, delivery.delivery_id, delivery.origin)
        self._see(delivery.occurred_at)

    def _see(self, occurred_at: int) -> None:
        day = moment(occurred_at).date()
        first, last = self.days or (day, day)
        self.days = min(first, day), max(last, day)


@asynccontextmanager
async def claims(clickhouse: ClickHouse, catalogue: Catalogue) -> AsyncIterator[Claims]:
    """An empty table of claims, gone afterwards; raises Unavailable."""
    erased = Erased()
    await erased.load(clickhouse)
    name = f"claims_{uuid4().hex}"
    await clickhouse.command(_TABLE.replace("[claims]", name))
    try:
        yield Claims(clickhouse, name, erased, catalogue)
    finally:
        await clickhouse.command(f"DROP TABLE IF EXISTS {name}")


async def _buried(kafka: Kafka, begin: int) -> tuple[set[Place], frozenset[tuple[str, str]]]:
    """Where the records stood that became dead letters since; and the events, by tenant and id, of
    those among them that were to be decided, as where their text lacks something."""
    found: set[Any] = set()
    undecided = set()
    async with History(kafka, [DEAD_LETTERS], begin, 1 << 52) as history:
        async for record in history.records():
            letter = _letter.decode(record.value)
            found.add((letter.topic, letter.partition, letter.offset))
            if letter.topic in _REQUESTS and letter.value is not None:
                with suppress(msgspec.DecodeError):  # what was cut short
                    event = _request.decode(letter.value).event
                    undecided.add((event.tenant, event.id))
    return found, frozenset(undecided)
