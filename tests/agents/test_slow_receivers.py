"""A call that hangs holds up neither what others have said, nor those that come after it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from agents.sink.agent import Sink
from agents.sink.dispatch import Dispatch
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import Lane
from pipeline.processing.slices import Slice, cut
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.errors import Abandoned
from schemas.topics import DELIVER, DELIVERY_EVENTS, RETRY
from schemas.vocabulary import Channel, Priority, Reason, Stage
from sinks.provider import Outcome, Sent, TransientFailure
from sinks.registry import Weighted
from tables.storage.memory_store import MemoryStore
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock
from tests.agents.test_mark_order import Taking
from tests.patience import until
from tests.pipeline.gate import settled

TOPIC = DELIVER[Channel.PUSH, Priority.NORMAL]
TP = TopicPartition(TOPIC.name, 0)
decode = msgspec.json.Decoder(DeliveryEvent).decode_lines


class Hanging(Taking):
    """A provider of which one receiver answers when its test says so, and one is overloaded."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Take them."""
        self.took += [each.user for each in deliveries]
        if any(each.user == "hangs" for each in deliveries):
            await self.answers.wait()
        return [
            TransientFailure(Reason.THROTTLED, "later") if each.user == "busy" else Sent(each.user)
            for each in deliveries
        ]


class House:
    """The push sink of one partition, and what it has written; another may take its place."""

    def __init__(self, folder: Path, before: "House | None" = None) -> None:
        clock = ShiftedClock()
        self.log: MemoryLog = before.log if before else MemoryLog(clock)
        self.store: MemoryStore = MemoryStore(dict(before.store.stored) if before else None)
        self.provider, self.closing = Hanging(), asyncio.Event()
        runtime = Runtime(Settings(data_dir=folder), self.log, clock)
        dispatch = Dispatch([Weighted(self.provider, 1)], runtime, holds=False)
        self.sink = Sink(Channel.PUSH, runtime, dispatch, self.store, self.closing)

    def told(self) -> list[tuple[str, Stage]]:
        """What was told, and of whom, in order."""
        records = self.log.topics[DELIVERY_EVENTS.name]
        return [(e.user, e.stage) for record in records for e in decode(record.value)]


def slice_of(deliveries: Sequence[Delivery], start: int = 0) -> Slice:
    """Deliveries as they stand in the topic, every second offset of which holds none."""
    records = [
        ConsumerRecord(*TP, start + 2 * at, 0, 0, each.user.encode(), encode(each), None, 1, 1, ())
        for at, each in enumerate(deliveries)
    ]
    (slice_,) = cut(TP, 0, start, records)
    return slice_


def to(*users: str) -> list[Delivery]:
    """A delivery to each."""
    clock = ShiftedClock()
    return [delivery(clock, user=user, priority=Priority.NORMAL) for user in users]


async def test_what_is_done_leaves_and_a_restart_does_only_the_rest(tmp_path: Path) -> None:
    house, slice_ = House(tmp_path), slice_of(to("ann", "hangs", "busy", "bob"))
    handling = asyncio.create_task(house.sink.handle(slice_))
    await until(lambda: len(house.told()) == 3)
    assert not handling.done()
    expected = [("ann", Stage.SENT), ("busy", Stage.RETRYING), ("bob", Stage.SENT)]
    assert sorted(house.told()) == sorted(expected)
    assert house.store.frontier(TOPIC.name) == 2
    await house.sink.note_sent(0)
    handling.cancel()  # as a kill: nothing more is written
    await asyncio.wait([handling])
    after = House(tmp_path, house)
    after.provider.answers.set()
    assert (await after.sink.restore()).frontiers[TOPIC.name] == 2
    await after.sink.handle(slice_from(slice_, 2))
    assert after.provider.took == ["hangs"]
    assert sorted(house.told()) == sorted([*expected, ("hangs", Stage.SENT)])
    assert after.store.frontier(TOPIC.name) == slice_.next
    assert len(house.log.topics[RETRY.name]) == 1
    assert not [key for key in after.store.stored if key[:1] == b"a"]
    # The call of the one that was killed ends as well, so that nothing outlives the test.
    house.provider.answers.set()
    await until(lambda: sum(key[:1] == b"s" for key in house.store.stored) == 3)
    await settled()


def slice_from(slice_: Slice, start: int) -> Slice:
    """What a reader from a later offset on is given."""
    records = [record for record in slice_.records if record.offset >= start]
    (rest,) = cut(TP, 0, start, records)
    return rest


async def test_a_delivery_that_stands_in_two_slices_is_called_once(tmp_path: Path) -> None:
    house, deliveries = House(tmp_path), to("hangs")
    slices = slice_of(deliveries), slice_of(deliveries, 10)
    handling = [asyncio.create_task(house.sink.handle(each)) for each in slices]
    await until(lambda: house.provider.took == ["hangs"])
    house.provider.answers.set()
    await asyncio.gather(*handling)
    assert house.provider.took == ["hangs"]


async def test_slices_behind_go_on_and_the_frontier_stays(tmp_path: Path) -> None:
    house, frontiers, finished = House(tmp_path), {TP: 0}, list[Slice]()
    lane = Lane({TOPIC.name: 2}, house.sink, frontiers, finished.append, most_in_flight=6)
    running = asyncio.create_task(lane.run())
    start = 0
    for users in (("ann", "hangs"), ("bob", "cem"), ("dia", "eve"), ("fay", "gus")):
        slice_ = slice_of(to(*users), start)
        lane.put(slice_)
        start = slice_.next
    await until(lambda: len(house.told()) == 5)
    # The fourth slice waits: six records are under way.
    assert set(house.provider.took) == {"ann", "hangs", "bob", "cem", "dia", "eve"}
    assert (frontiers[TP], finished) == (0, [])
    house.provider.answers.set()
    await until(lambda: frontiers[TP] == start)
    assert [slice_.records[0].key for slice_ in finished] == [b"ann", b"bob", b"dia", b"fay"]
    assert len(house.told()) == 8
    lane.close()
    await running


async def test_a_close_waits_for_calls_and_begins_none(tmp_path: Path) -> None:
    house, frontiers = House(tmp_path), {TP: 0}
    lane = Lane({TOPIC.name: 1}, house.sink, frontiers, lambda _: None, most_in_flight=2)
    running = asyncio.create_task(lane.run())
    for start, user in ((0, "hangs"), (1, "ann"), (2, "bob")):
        lane.put(slice_of(to(user), start))
    await until(lambda: house.told() == [("ann", Stage.SENT)])
    house.closing.set()
    lane.close()
    await asyncio.sleep(0)
    assert not running.done()
    house.provider.answers.set()
    await running
    assert frontiers[TP] == 2
    assert "bob" not in house.provider.took
    with pytest.raises(Abandoned):
        await house.sink.handle(slice_of(to("bob"), 2))
