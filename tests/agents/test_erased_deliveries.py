"""What is on its way to somebody who was erased goes no further, wherever it waits."""

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from prometheus_client import REGISTRY

from agents.retry import SLICE, Retries
from agents.sink.agent import Sink
from agents.sink.dispatch import Dispatch
from agents.sink.provider_calls import FORGOTTEN, Call, Calls
from embedded.retries import NAME
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import all_read
from pipeline.processing.slices import Slice
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.topics import DELIVER, DELIVERY_EVENTS, ERASURES, RETRY, Topic
from schemas.vocabulary import Channel, Priority, Reason
from sinks.provider import Outcome, TransientFailure
from sinks.registry import Weighted
from tables.sent import SentLedger, SentMark
from tables.storage.memory_store import MemoryStore
from tables.storage.step import MOST_ROWS
from tables.waiting import WAITING
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock
from tests.agents.test_mark_order import Taking
from tests.pipeline.gate import settled

PUSH = DELIVER[Channel.PUSH, Priority.CRITICAL]
BATCH = 3
ROWS = msgspec.json.Decoder(DeliveryEvent).decode_lines


def critical(clock: ShiftedClock, **fields: object) -> Delivery:
    """A delivery that may use the only slot."""
    return delivery(clock, priority=Priority.CRITICAL, **fields)


class Busy(Taking):
    """A provider of few slots, whose calls end when the test says so."""

    batch_size = BATCH

    def __init__(self) -> None:
        super().__init__()
        self.answers: asyncio.Queue[None] = asyncio.Queue()
        self.outcome: Outcome | None = None

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Take them once the test lets it, or answer all of them as it says."""
        await self.answers.get()
        taken = list(await super().send(deliveries))
        return taken if self.outcome is None else [self.outcome] * len(deliveries)


class Line:
    """A role's handler over topics and state in memory."""

    def __init__(self) -> None:
        self.clock = ShiftedClock()
        self.clock.stand_still()
        self.log, self.store = MemoryLog(self.clock), MemoryStore()
        settings = Settings(partitions=1).model_copy(update={"calls_in_flight": 1})
        self.runtime = Runtime(settings, self.log, self.clock)
        self.provider = Busy()
        self.closing = asyncio.Event()

    def sink(self) -> Sink:
        """The push sink."""
        dispatch = Dispatch([Weighted(self.provider, 1)], self.runtime, holds=False)
        return Sink(Channel.PUSH, self.runtime, dispatch, self.store, self.closing)

    async def say(self, topic: Topic, *values: msgspec.Struct) -> Slice:
        """Write records; the slice with them."""
        start = len(self.log.topics[topic.name])
        for value in values:
            key = str(getattr(value, "user")).encode()  # noqa: B009 - not every struct has one
            await self.log.write(topic.name, 0, [(key, encode(value))])
        slice_ = self.log.slice_from(topic.name, start)
        assert slice_ is not None
        return slice_

    async def erase(self, handler: Sink | Retries, user: str) -> None:
        """Have the handler hear that a user is erased, a moment after what was said so far."""
        self.clock.ahead += 1
        await handler.handle(await self.say(ERASURES, Erasure(user=user)))
        self.clock.ahead += 1

    def sent(self) -> list[str]:
        """The ids of what stands in the push topic."""
        records = self.log.topics[PUSH.name]
        return [msgspec.json.decode(record.value or b"")["delivery_id"] for record in records]

    def written(self, topic: Topic) -> int:
        """How many records a topic has."""
        return len(self.log.topics[topic.name])


async def test_a_sink_sends_nothing_that_was_accepted_before() -> None:
    line = Line()
    handler = line.sink()
    before, others = critical(line.clock, user="ada"), critical(line.clock, user="bob")
    elsewhere = critical(line.clock, user="ada", tenant="acme")
    await line.erase(handler, "ada")
    after = critical(line.clock, user="ada")
    for _ in range(2):  # four deliveries are two batches, whoever of them is gone
        line.provider.answers.put_nowait(None)
    await handler.handle(await line.say(PUSH, before, others, elsewhere, after))
    wanted = [each.delivery_id for each in (others, elsewhere, after)]
    assert line.provider.took == wanted
    told = line.log.topics[DELIVERY_EVENTS.name]
    assert before.delivery_id.encode() not in b"".join(record.value for record in told)


async def test_who_is_back_is_sent_what_they_were_sent_before_they_were_erased() -> None:
    """Nothing is known any more of what they were sent, and what is decided anew is."""
    line = Line()
    handler = line.sink()
    before = critical(line.clock, user="ada")
    for _ in range(2):
        line.provider.answers.put_nowait(None)
    await handler.handle(await line.say(PUSH, before))
    await line.erase(handler, "ada")
    again = replace(before, accepted_at=line.clock.now())
    line.clock.ahead += 1
    await handler.handle(await line.say(PUSH, again))
    await handler.handle(await line.say(PUSH, again))  # a replay, which sends nothing twice
    assert line.provider.took == [before.delivery_id] * 2
    rows = [row for record in line.log.topics[DELIVERY_EVENTS.name] for row in ROWS(record.value)]
    assert [row.at > again.accepted_at for row in rows] == [False, True, True]


async def test_who_is_erased_while_a_delivery_waits_for_its_call_is_not_called() -> None:
    """It waits behind a call that takes all slots; others of its batch go out."""
    line = Line()
    handler = line.sink()
    first = critical(line.clock, user="carl")
    waiting = [critical(line.clock, user=user) for user in ("ada", "bob")]
    sending = asyncio.create_task(handler.handle(await line.say(PUSH, first)))
    await settled()
    behind = asyncio.create_task(handler.handle(await line.say(PUSH, *waiting)))
    await settled()
    await line.erase(handler, "ada")
    for _ in range(2):
        line.provider.answers.put_nowait(None)
    await asyncio.gather(sending, behind)
    assert line.provider.took == [first.delivery_id, waiting[1].delivery_id]


async def test_what_failed_of_somebody_erased_meanwhile_is_not_kept_for_another_try() -> None:
    line = Line()
    handler = line.sink()
    line.provider.outcome = TransientFailure(Reason.PROVIDER_ERROR, "not now")
    said = [critical(line.clock, user=user) for user in ("ada", "bob")]
    sending = asyncio.create_task(handler.handle(await line.say(PUSH, *said)))
    await settled()
    await line.erase(handler, "ada")
    line.provider.answers.put_nowait(None)
    await sending
    assert [record.key for record in line.log.topics[RETRY.name]] == [b"bob"]


async def test_a_batch_of_nobody_else_is_no_call() -> None:
    line = Line()
    calls, ledger = Calls(line.provider, line.runtime), SentLedger(MemoryStore())
    gone = Call(critical(line.clock), ledger, line.closing, lambda _: True)
    there = Call(critical(line.clock), ledger, line.closing)
    assert await calls.deliver(gone) is FORGOTTEN
    line.provider.answers.put_nowait(None)
    results = await asyncio.gather(*(calls.deliver(call) for call in (gone, there, gone)))
    assert [result is FORGOTTEN for result in results] == [True, False, True]
    assert isinstance(results[1], SentMark)
    assert line.provider.took == [there.delivery.delivery_id]


async def test_what_is_to_be_tried_again_is_dropped_also_if_they_go_while_it_waits() -> None:
    line = Line()
    handler = Retries(line.runtime, line.store, 0)
    due = line.clock.now() + 300
    users = ("ada", "bob", "ada")
    early, other, late = (critical(line.clock, user=user, due_at=due) for user in users)
    elsewhere = critical(line.clock, user="ada", due_at=due, tenant="acme")
    await handler.handle(await line.say(RETRY, early, other, elsewhere))
    await line.erase(handler, "ada")
    ids = [each.delivery_id.encode() for each in (early, other, elsewhere)]
    stored = b"".join(value for _, value in line.store.scan(WAITING.prefix))
    assert [name in stored for name in ids] == [False, True, True], "gone at once, and nobody else"
    # Written before, and read after.
    await handler.handle(await line.say(RETRY, late))
    assert REGISTRY.get_sample_value(NAME, {"partition": "0"}) == 2
    line.clock.ahead += 300
    await handler.on_timer(all_read)
    assert sorted(line.sent()) == sorted([other.delivery_id, elsewhere.delivery_id])
    # Who comes back is tried again for.
    again = critical(line.clock, user="ada", due_at=line.clock.now())
    await handler.handle(await line.say(RETRY, again))
    await handler.on_timer(all_read)
    assert line.sent()[2:] == [again.delivery_id]


async def test_an_erasure_of_thousands_that_wait_is_no_longer_turn_and_leaves_none() -> None:
    line = Line()
    handler = Retries(line.runtime, line.store, 0)
    due = line.clock.now() + 300
    said = [critical(line.clock, user="ada", due_at=due) for _ in range(2 * MOST_ROWS)]
    for start in range(0, len(said), SLICE):
        await handler.handle(await line.say(RETRY, *said[start : start + SLICE]))
    await line.erase(handler, "ada")
    assert sum(1 for _ in line.store.scan(WAITING.prefix)) == MOST_ROWS
    line.clock.ahead += 300
    while await handler.on_timer(all_read) == 0:
        pass
    assert line.sent() == []
    assert list(line.store.scan(WAITING.prefix)) == []
