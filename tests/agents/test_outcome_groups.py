"""Outcomes that end during a write leave with the next one, and a crash at any write loses none."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence

import msgspec

from agents.replay.in_memory_pipeline import HeldClock
from agents.sink.agent import Sink
from agents.sink.dispatch import Dispatch
from agents.sink.outcomes import Done, Outcomes
from pipeline.process.runtime import Runtime
from pipeline.processing.slices import Slice
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from pipeline.producing.write_queue import Entry
from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.topics import DELIVER, DELIVERY_EVENTS, RETRY
from schemas.vocabulary import Channel, Priority, Reason
from sinks.provider import Outcome, Sent, TransientFailure
from sinks.registry import Weighted
from tables.storage.finished_ahead import AHEAD
from tables.storage.memory_store import MemoryStore
from tables.storage.table import key_of
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock
from tests.agents.test_mark_order import STATE, Gated, Taking
from tests.agents.test_slow_receivers import TOPIC, slice_of, to
from tests.patience import until
from tests.pipeline.gate import GatheringGate, Write, settled
from tests.simulation.play import Crash, Fate, MortalLog, MortalStore
from tests.virtual_time import in_virtual_time, now

COUNT = 12
SENT_FIRST = 7
"""Of those behind the second, the ones whose provider is not overloaded."""
LOW = DELIVER[Channel.PUSH, Priority.LOW]
decode = msgspec.json.Decoder(DeliveryEvent).decode_lines


class OneByOne(Taking):
    """Answers each call when its test says so; every third address is overloaded."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, asyncio.Event] = {}

    def answer(self, *users: str) -> None:
        """Let the calls for these end."""
        for user in users:
            self.answers.setdefault(user, asyncio.Event()).set()

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Take it once it may."""
        (said,) = deliveries
        await self.answers.setdefault(said.user, asyncio.Event()).wait()
        self.took.append(said.user)
        if said.user.endswith("busy"):
            return [TransientFailure(Reason.THROTTLED, "later")]
        return [Sent(said.user)]


def users(*numbers: int) -> list[str]:
    """Their names; every third one's provider is overloaded."""
    return [f"user-{number}{'' if number % 3 else '-busy'}" for number in numbers]


def marks_of(write: Write) -> int:
    """How many deliveries the changelog is told to have been sent, by a write of outcomes."""
    keys = [key or b"" for key in write.keys]
    assert write.place == STATE
    assert any(key[:1] == b"\x00" for key in keys)
    return sum(key[:1] == b"s" for key in keys)


async def test_a_slow_journal_gathers_outcomes_in_one_write() -> None:
    log, provider = GatheringGate(), OneByOne()
    store = Gated(log)
    runtime = Runtime(Settings(), log, ShiftedClock())
    dispatch = Dispatch([Weighted(provider, 1)], runtime, holds=False)
    sink = Sink(Channel.PUSH, runtime, dispatch, store, asyncio.Event())
    slice_ = slice_of(to(*users(*range(COUNT))))
    handling = asyncio.create_task(sink.handle(slice_))
    provider.answer(*users(0))
    (first,) = await log.next()
    assert marks_of(first) == 0, "it is to be tried again"
    # While that takes long, all the others end but for the second.
    provider.answer(*users(*range(2, COUNT)))
    await until(lambda: len(provider.took) == COUNT - 1)
    await log.nothing()
    assert store.frontier(TOPIC.name) == 0
    first.acknowledge()
    (retry,) = await log.next()
    assert retry.place[0] == RETRY.name
    retry.acknowledge()
    (second,) = await log.next()
    assert marks_of(second) == SENT_FIRST
    second.acknowledge()
    (retries,) = await log.next()
    assert (retries.place[0], len(retries.entries)) == (RETRY.name, COUNT - 2 - SENT_FIRST)
    retries.acknowledge()
    await settled()
    assert store.frontier(TOPIC.name) == 2
    stored = store.stored[AHEAD.prefix + key_of(TOPIC.name)]
    assert AHEAD.decode(stored) == [(4, slice_.next)]
    told = await log.flushed()
    ((_, value),) = told.entries
    assert {event.user for event in decode(value or b"")} == set(users(0, *range(2, COUNT)))
    provider.answer(*users(1))
    (last,) = await log.next()
    assert marks_of(last) == 1
    last.acknowledge()
    await handling
    assert store.frontier(TOPIC.name) == slice_.next


@in_virtual_time
async def test_an_outcome_alone_waits_a_hundredth_of_a_second_for_others() -> None:
    """So long a slot of the provider stands idle; one that waited a second would make ten calls."""
    store = MemoryStore()
    outcomes = Outcomes(store, Runtime(Settings(), MemoryLog(HeldClock()), HeldClock()))
    slice_ = slice_of(to("ann"))
    outcomes.begin(slice_)
    await outcomes.submit(Done(slice_, [(0, 1)], Outputs(MemoryLog(HeldClock()))))
    assert 0 < now() <= 0.02
    assert store.frontier(TOPIC.name) == 1


class Dying(Fate):
    """Ends a process for good: what it still tries after that is not written either."""

    is_dead = False

    def step(self) -> None:
        """One more moment at which the process can end."""
        if self.is_dead:
            raise Crash
        try:
            super().step()
        except Crash:
            self.is_dead = True
            raise


class SlowLog(MortalLog):
    """A log that takes a moment."""

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        await asyncio.sleep(0.002)
        return await super().write(topic, partition, entries)


class SlowStore(MortalStore):
    """A store whose changelog takes a moment."""

    async def _append(self, records: list[Entry]) -> int:
        await asyncio.sleep(0.005)
        return await super()._append(records)


class InTurn(OneByOne):
    """Answers some calls earlier than others."""

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Take it after a few milliseconds."""
        (said,) = deliveries
        await asyncio.sleep(int(said.user.split("-")[1]) * 7 % 5 * 0.002)
        self.answer(said.user)
        return await super().send(deliveries)


class Push:
    """The push sink, started anew after each of its deaths, and what outlives it."""

    def __init__(self) -> None:
        self.fate = Dying()
        self.clock = HeldClock(delivery(ShiftedClock()).accepted_at)
        self.log = SlowLog(self.clock, self.fate)
        self.changelog: list[Entry] = []
        self.provider = InTurn()

    async def run(self, fate: Dying) -> None:
        """One process, from what the one before it left to the end of its topics."""
        self.log.fate = fate
        store = SlowStore(self.changelog, fate)
        runtime = Runtime(Settings(), self.log, self.clock)
        dispatch = Dispatch([Weighted(self.provider, 1)], runtime, holds=False)
        sink = Sink(Channel.PUSH, runtime, dispatch, store, asyncio.Event())
        frontiers = (await sink.restore()).frontiers
        slices: list[Slice] = []
        for topic in (TOPIC.name, LOW.name):
            at = frontiers.get(topic, 0)
            while slice_ := self.log.slice_from(topic, at, 4):
                slices.append(slice_)
                at = slice_.next
        found = await asyncio.gather(*map(sink.handle, slices), return_exceptions=True)
        for error in found:
            if error is not None:
                raise error
        assert [store.frontier(topic.name) for topic in (TOPIC, LOW)] == [COUNT, COUNT]

    def told(self) -> list[DeliveryEvent]:
        """Every event that was emitted."""
        return [e for r in self.log.topics[DELIVERY_EVENTS.name] for e in decode(r.value or b"")]

    def retries(self) -> list[bytes]:
        """What is to be tried again."""
        return [record.value or b"" for record in self.log.topics[RETRY.name]]


@in_virtual_time
async def test_a_crash_at_any_write_loses_no_outcome_and_changes_none() -> None:
    deaths = 0
    for step in itertools.count(1):
        push = Push()
        named = {
            user: delivery(ShiftedClock(), user=user, priority=Priority.NORMAL)
            for user in users(*range(2 * COUNT))
        }
        for number, said in enumerate(named.values()):
            topic = TOPIC if number < COUNT else LOW
            await MemoryLog.write(push.log, topic.name, 0, [(said.user.encode(), encode(said))])
        try:
            await push.run(Dying([step]))
        except Crash:
            deaths += 1
            push.clock.at += 1_000
            await push.run(Dying())
        busy = {user for user in named if user.endswith("busy")}
        # Sent again byte for byte, if at all, although the second process had a later time.
        assert Counter(event.user for event in set(push.told())) == Counter(named.keys())
        assert len(set(push.retries())) == len(busy)
        # Who was sent something and called again had no mark; in between there were few calls.
        assert set(push.provider.took) == set(named)
        if deaths < step:
            break
    assert len(push.provider.took) == len(named)
    assert len(push.told()) == len(named)
    writes = sum(key is not None and key[:1] == b"\x02" and bool(v) for key, v in push.changelog)
    assert writes <= len(named) / 2, "many of them share a write"
