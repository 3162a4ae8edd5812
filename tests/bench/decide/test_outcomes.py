"""That a contestant that decided otherwise is found out, whatever the difference is."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from agents.decider.agent import Decider
from agents.replay.in_memory_pipeline import HeldClock
from bench.contestants.work import work
from bench.decide.broker import Arena
from bench.decide.decide import CONTESTANTS, OURS, check_alike
from bench.decide.outcomes import difference, outcomes
from bench.decide.topics import Topics
from bench.decide.workload import (
    CATALOGUE,
    PARTITIONS,
    profile,
    record_number,
    requests,
    state_key,
)
from embedded.kafka import Kafka
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import partition_of
from pipeline.settings import Settings
from schemas.delivery_event import DeliveryEvent
from schemas.request import Request
from schemas.vocabulary import Reason, Stage
from tables.storage.memory_store import MemoryStore
from tables.users import PROFILES

NOW = datetime.now(UTC)
RECORDS = 600
"""So many that some users have several outputs."""
Value = tuple[str, bytes]
"""A user, and what was written of them."""


@dataclass
class Written:
    """What a contestant wrote, in order."""

    deliveries: list[Value]
    events: list[Value]


Plant = Callable[[Written], object]


@pytest.fixture(scope="module")
def written() -> Written:
    """What came of the first requests, in their order."""
    encode, ledgers = msgspec.msgpack.Encoder().encode, dict[str, bytes | None]()
    found = Written([], [])
    for user, value in requests(RECORDS, NOW):
        request = msgspec.json.decode(value, type=Request)
        outcome = work(request, encode(profile(int(user[-6:]))), ledgers.get(user))
        ledgers[user] = outcome.ledger or ledgers.get(user)
        found.deliveries += [(user, delivery) for delivery in outcome.deliveries]
        found.events += [(user, event) for event in outcome.events]
    return found


def json_of(value: Value) -> DeliveryEvent:
    return msgspec.json.decode(value[1], type=DeliveryEvent)


def other_text(written: Written) -> None:
    user, value = written.deliveries[0]
    written.deliveries[0] = (user, value.replace(b"picked up", b"lost"))


def lost(written: Written) -> None:
    del written.deliveries[-1]


def sent_twice(written: Written) -> None:
    written.deliveries.append(written.deliveries[-1])


def told_twice(written: Written) -> None:
    written.events.append(written.events[-1])


def other_reason(written: Written) -> None:
    user, _ = written.events[0]
    other = replace(json_of(written.events[0]), reason=Reason.QUIET_HOURS, stage=Stage.SUPPRESSED)
    written.events[0] = (user, msgspec.json.encode(other))


def other_acceptance(written: Written) -> None:
    user, _ = written.events[0]
    event = json_of(written.events[0])
    later = replace(event, accepted_at=event.accepted_at + 1)
    written.events[0] = (user, msgspec.json.encode(later))


PLANTS = (other_text, lost, sent_twice, told_twice, other_reason, other_acceptance)
COMPARED = [name for name, each in CONTESTANTS.items() if each.decides and name != OURS]


class Record(NamedTuple):
    """What the comparison reads of a Kafka record."""

    value: bytes


class Memory:
    """The topics of all contestants, with a difference planted in those of one."""

    def __init__(self, written: Written, name: str = "", plant: Plant | None = None) -> None:
        self._topics: dict[str, list[Value]] = {}
        for each in (OURS, *COMPARED):
            mine = Written(list(written.deliveries), list(written.events))
            if each == name and plant is not None:
                plant(mine)
            topics = CONTESTANTS[each].topics
            self._topics[topics.deliver] = mine.deliveries
            self._topics[topics.delivery_events] = mine.events

    async def read(self, topic: str) -> AsyncIterator[Record]:
        for _, value in self._topics[topic]:
            yield Record(value)


class InMemory:
    """The topics of a log in memory."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def read(self, topic: str) -> AsyncIterator[Record]:
        for record in self._log.topics[topic]:
            yield Record(record.value or b"")


def test_every_contestant_that_decides_is_compared_with_ours() -> None:
    assert COMPARED == ["quix", "faust"]


async def test_others_are_given_the_work_that_our_decider_does(written: Written) -> None:
    encode, topic = msgspec.msgpack.Encoder().encode, CONTESTANTS[OURS].topics.requests
    clock = HeldClock(round(NOW.timestamp() * 1000))
    log, asked = MemoryLog(clock), list(requests(RECORDS, NOW))
    users = {user for user, _ in asked}
    profiles = {PROFILES.prefix + state_key(u): encode(profile(int(u[-6:]))) for u in users}
    runtime = Runtime(Settings(kafka="localhost:9092", partitions=1), log, clock)
    decider = Decider(FixedCatalogue(CATALOGUE), runtime, 0, MemoryStore(profiles))
    await decider.restore()
    await log.write(topic, 0, [(user.encode(), value) for user, value in asked])
    slice_ = log.slice_from(topic, 0)
    assert slice_ is not None
    assert len(slice_.records) == RECORDS
    await decider.handle(slice_)
    decided = await outcomes(InMemory(log), CONTESTANTS[OURS].topics, RECORDS)
    worked = await outcomes(Memory(written), CONTESTANTS[OURS].topics, RECORDS)
    assert difference(decided, worked) is None


async def test_contestants_that_decided_alike_are_found_alike(written: Written) -> None:
    assert await check_alike(Memory(written), RECORDS) == len(written.deliveries) > 30


@pytest.mark.parametrize("name", COMPARED)
@pytest.mark.parametrize("plant", PLANTS)
async def test_a_difference_in_any_contestants_outputs_fails_the_bench(
    written: Written, name: str, plant: Plant
) -> None:
    with pytest.raises(RuntimeError, match=f"{name} did not decide as ours did: .* of 1 users"):
        await check_alike(Memory(written, name, plant), RECORDS)


async def test_what_came_of_later_records_is_not_compared(written: Written) -> None:
    first = json_of(written.events[-1]).event_id
    memory = Memory(written, COMPARED[0], lambda mine: mine.events.pop())
    assert record_number(first) < RECORDS
    await check_alike(memory, record_number(first))


def swapped(values: list[Value]) -> None:
    """Exchange two of one user's."""
    user = next(user for user, _ in values if sum(1 for each, _ in values if each == user) > 1)
    first, second = [place for place, (each, _) in enumerate(values) if each == user][:2]
    values[first], values[second] = values[second], values[first]


async def test_a_users_deliveries_are_compared_in_order_and_events_in_any(
    written: Written,
) -> None:
    """Events have no key, so several partitions may hold those of one user."""
    name = COMPARED[0]
    other_order = Memory(written, name, lambda mine: swapped(mine.events))
    assert await check_alike(other_order, RECORDS)
    with pytest.raises(RuntimeError, match=f"{name} did not decide as ours did: deliveries"):
        await check_alike(Memory(written, name, lambda mine: swapped(mine.deliveries)), RECORDS)


async def test_outputs_are_read_from_kafka_from_all_partitions_and_one_a_line(
    kafka: Kafka, tmp_path: Path, written: Written
) -> None:
    topics = Topics("unused", "outcomes-deliver", "outcomes-delivery-events")
    async with Arena(kafka, tmp_path, PARTITIONS) as arena:
        await arena.create(topics.deliver, topics.delivery_events)
        for number in range(PARTITIONS):
            events = [v for u, v in written.events if partition_of(u, PARTITIONS) == number]
            await arena.write(topics.delivery_events, number, [(None, b"\n".join(events))])
            mine = [v for u, v in written.deliveries if partition_of(u, PARTITIONS) == number]
            await arena.write(topics.deliver, number, [(None, value) for value in mine])
        found = await outcomes(arena, topics, RECORDS)
    theirs = Memory(written)
    expected = await outcomes(theirs, CONTESTANTS[OURS].topics, RECORDS)
    assert sum(map(len, found.deliveries.values())) == len(written.deliveries)
    assert {event.at for events in found.events.values() for event in events} == {0}
    assert difference(expected, found) is None
