"""A decider, and what a consumer hands to its lane, in the order that a test says."""

from collections import defaultdict
from functools import cache

import msgspec
from aiokafka import ConsumerRecord, TopicPartition
from msgspec import Struct

from agents.decider.agent import Decider, decider
from agents.replay.in_memory_pipeline import HeldClock
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ALL_READ
from pipeline.processing.queues import Queues
from pipeline.processing.read_first import ReadFirst
from pipeline.processing.slices import RECORDS, cut
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue, parse
from policy.time.timestamps import moment
from schemas.delivery_event import DeliveryEvent
from schemas.event import Event
from schemas.kinds import encode_in
from schemas.request import Origin, Request
from schemas.topics import DELIVERY_EVENTS, Topic
from schemas.vocabulary import Reason, Stage
from tables.storage.memory_store import MemoryStore
from tests.simulation.roles import NOW


@cache
def parsed(types: str) -> Catalogue:
    """The catalogue of these types."""
    return parse({"types.toml": types})


class Reader:
    """A decider of one partition that reads topics in the order that a test says."""

    def __init__(self, types: str) -> None:
        self.clock = HeldClock(NOW)
        self.out = MemoryLog(self.clock)
        runtime = Runtime(Settings(partitions=1), self.out, self.clock)
        self._catalogue, self._runtime = FixedCatalogue(parsed(types)), runtime
        self.store = MemoryStore()
        self.seconds = 0.0
        self._log = defaultdict[str, list[ConsumerRecord]](list)
        self._handled = defaultdict[str, int](int)
        self.begin()

    def begin(self) -> None:
        """Begin, or begin anew with what was stored and the topics read from there."""
        self.store = MemoryStore(self.store.stored)
        self.decider = Decider(self._catalogue, self._runtime, 0, self.store)
        role = decider(self._catalogue, self._runtime)
        most = {topic: role.slice_records.get(topic, RECORDS) for topic in role.topics}
        gate = ReadFirst(role.read_first, self.read_to, lambda: self.seconds)
        self._queues = Queues(
            most, role.weights, ahead=role.ahead, may_go=gate.lets, work_of=role.work_of
        )
        self._fetched = dict(self._handled)

    def accept(self, topic: Topic, value: Struct, user: str = "") -> None:
        """Kafka takes a record, a second after the one before."""
        self.clock.at += 1000
        records = self._log[topic.name]
        key = (user or str(getattr(value, topic.key))).encode()
        records.append(
            ConsumerRecord(
                topic.name,
                0,
                len(records),
                self.clock.at,
                1,
                key,
                encode_in(topic.name, value),
                None,
                1,
                1,
                (),
            )
        )

    async def fetch(self, topic: Topic, most: int = RECORDS) -> None:
        """The next records reach the lane, which does all that it may."""
        self.queue(topic, most)
        await self.work()

    def queue(self, topic: Topic, most: int = RECORDS) -> None:
        """The next records reach the lane."""
        start = self._fetched.get(topic.name, 0)
        records = self._log[topic.name][start : start + most]
        for slice_ in cut(TopicPartition(topic.name, 0), 0, start, records):
            self._queues.put(slice_)
        self._fetched[topic.name] = start + len(records)

    async def work(self, slices: int = 1000) -> list[str]:
        """Do as a lane does; the topics of what it took."""
        taken = list[str]()
        while True:
            while await self.decider.on_timer(self.read_to) == 0:
                pass
            slice_ = self._queues.take() if len(taken) < slices else None
            if slice_ is None:
                return taken
            await self.decider.handle(slice_)
            taken.append(slice_.partition.topic)
            self._handled[slice_.partition.topic] = slice_.next

    def read_to(self, topic: str) -> int:
        """As a partition tells it."""
        done, records = self._handled[topic], self._log[topic]
        if done == len(records):
            return ALL_READ
        return records[done - 1].timestamp if done else 0

    def ends(self, user: str) -> list[Reason | None]:
        """What became of the user's notification: None for each that went out, or why not."""
        return [None if row.stage is Stage.QUEUED else row.reason for row in self.ended(user)]

    def ended(self, user: str) -> list[DeliveryEvent]:
        """The rows that say what became of the user's notifications."""
        rows = [
            msgspec.json.decode(line, type=DeliveryEvent)
            for record in self.out.topics[DELIVERY_EVENTS.name]
            for line in (record.value or b"").split(b"\n")
        ]
        wanted = (Stage.QUEUED, Stage.SUPPRESSED)
        return [row for row in rows if row.user == user and row.stage in wanted]


def asked(user: str, at: int, number: int = 0, *, happened: int | None = None) -> Request:
    """A request of what was accepted at this time (epoch ms), and happened then or before."""
    data = {"who": user, "text": "123"}
    event = Event(
        id="e",
        type="code.asked",
        actor="a",
        occurred_at=moment(at if happened is None else happened),
        data=data,
    )
    return Request(
        type="code", user=user, event=event, origin=Origin("events", 0, number), accepted_at=at
    )
