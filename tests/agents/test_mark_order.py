"""A call's slot is free, and a delivery told as sent, when its mark is durable and no sooner."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from agents.sink.agent import Sink
from agents.sink.dispatch import Dispatch
from agents.sink.provider_calls import Call, Calls
from pipeline.process.runtime import Runtime
from pipeline.processing.slices import Slice, cut
from pipeline.producing.write_queue import Entry
from pipeline.settings import Settings
from policy.contact.address import BARE
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.errors import Abandoned
from schemas.topics import DELIVER, DELIVERY_EVENTS
from schemas.vocabulary import Channel, Priority, Reason, Stage
from sinks.provider import OneServer, Outcome, Sent, TransientFailure
from sinks.registry import Weighted
from tables.sent import SentLedger, SentMark
from tables.storage.memory_store import MemoryStore
from tables.storage.store import FRONTIER, OFFSET
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock
from tests.pipeline.gate import GatedLog, GatheringGate, Write, settled

CRITICAL = DELIVER[Channel.PUSH, Priority.CRITICAL]
STATE = ("changelog", 0)
decode = msgspec.json.Decoder(DeliveryEvent).decode_lines


class Taking(OneServer):
    """A provider that takes everything, and says in which order."""

    name = "taking"
    channel = Channel.PUSH
    scheme = BARE
    batch_size = 1

    def __init__(self) -> None:
        self.took: list[str] = []

    def linger(self, priority: Priority) -> float:
        """None waits for others."""
        return 0.0

    async def check(self) -> None:
        """It always works."""

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Take them."""
        self.took += [delivery.delivery_id for delivery in deliveries]
        return [Sent(f"name of {delivery.delivery_id}") for delivery in deliveries]

    async def close(self) -> None:
        """Nothing to let go of."""


class Gated(MemoryStore):
    """A store whose changelog acknowledges when the test says so."""

    def __init__(self, log: GatedLog) -> None:
        super().__init__()
        self._log = log

    async def _append(self, records: list[Entry]) -> int:
        await self._log.write(*STATE, records)
        return await super()._append(records)


@pytest.fixture
def log() -> GatheringGate:
    return GatheringGate()


@pytest.fixture
def runtime(log: GatheringGate, tmp_path: Path) -> Runtime:
    # Of one slot that critical ones may use, each must wait for the one before it.
    settings = Settings(data_dir=tmp_path).model_copy(update={"calls_in_flight": 1})
    return Runtime(settings, log, ShiftedClock())


def critical() -> Delivery:
    return delivery(ShiftedClock(), priority=Priority.CRITICAL)


async def test_a_slot_is_held_until_the_mark_is_acknowledged(
    runtime: Runtime, log: GatedLog
) -> None:
    provider = Taking()
    calls, ledger, closing = Calls(provider, runtime), SentLedger(Gated(log)), asyncio.Event()
    first, second = critical(), critical()
    sending = [
        asyncio.create_task(calls.deliver(Call(each, ledger, closing))) for each in (first, second)
    ]
    (mark,) = await log.next()
    assert mark.place == STATE
    assert provider.took == [first.delivery_id], "the second waits for the first one's slot"
    assert not sending[0].done()
    mark.acknowledge()
    (mark,) = await log.next()
    result = await sending[0]
    assert isinstance(result, SentMark)
    assert result.reference == f"name of {first.delivery_id}"
    assert provider.took == [first.delivery_id, second.delivery_id]
    assert not sending[1].done()
    mark.acknowledge()
    assert isinstance(await sending[1], SentMark)


async def test_a_mark_that_is_not_acknowledged_makes_no_sent_delivery(
    runtime: Runtime, log: GatedLog
) -> None:
    calls, ledger = Calls(Taking(), runtime), SentLedger(Gated(log))
    said = critical()
    sending = asyncio.create_task(calls.deliver(Call(said, ledger, asyncio.Event())))
    (mark,) = await log.next()
    mark.fail()
    with pytest.raises(Exception, match="no acknowledgement came"):
        await sending
    assert ledger.find([said]) == {}


class Push(Sink):
    """The push sink of one partition, with its state behind the gate."""

    def __init__(self, runtime: Runtime, log: GatedLog, first: Taking | None = None) -> None:
        self.provider = Taking()
        self.closing = asyncio.Event()
        asked = [Weighted(first, 1)] if first else []
        providers = [*asked, Weighted(self.provider, 0 if first else 1)]
        dispatch = Dispatch(providers, runtime, holds=False)
        store = Gated(log)
        super().__init__(Channel.PUSH, runtime, dispatch, store, self.closing)
        self.ledger = SentLedger(store)


def slice_of(*deliveries: Delivery) -> Slice:
    records = [
        ConsumerRecord(CRITICAL.name, 0, at, 0, 0, each.user.encode(), encode(each), None, 1, 1, ())
        for at, each in enumerate(deliveries)
    ]
    (slice_,) = cut(TopicPartition(CRITICAL.name, 0), 0, 0, records)
    return slice_


def marked_in(write: Write) -> list[str]:
    """The deliveries that a write to the changelog says were sent."""
    assert write.place == STATE
    keys = [key or b"" for key in write.keys]
    return [key[5:].hex() for key in keys if key[:1] == b"s"]


async def test_that_it_was_sent_and_what_is_told_of_it_is_one_write_and_frees_its_slot(
    runtime: Runtime, log: GatheringGate
) -> None:
    push, (one, two) = Push(runtime, log), (critical(), critical())
    handling = asyncio.create_task(push.handle(slice_of(one, two)))
    for done, said in enumerate((one, two), 1):
        (write,) = await log.next()
        assert marked_in(write) == [said.delivery_id]
        outcome = dict(write.entries)[FRONTIER + CRITICAL.name.encode()]
        assert outcome == OFFSET.pack(done)
        assert said.delivery_id.encode() in (write.entries[-1][1] or b"")
        await settled()
        assert len(push.provider.took) == done, "the next waits for this one's slot"
        assert not handling.done()
        write.acknowledge()
    await handling
    # Analysts are told before the frontier is committed, of both in one record.
    await log.nothing()
    told = await log.flushed()
    assert told.place == (DELIVERY_EVENTS.name, 0)
    ((_, value),) = told.entries
    assert [event.delivery_id for event in decode(value or b"")] == [
        each.delivery_id for each in (one, two)
    ]


async def test_a_close_lets_the_call_in_flight_be_marked_and_begins_no_other(
    runtime: Runtime, log: GatheringGate
) -> None:
    push, (one, two) = Push(runtime, log), (critical(), critical())
    handling = asyncio.create_task(push.handle(slice_of(one, two)))
    (write,) = await log.next()
    push.closing.set()
    await settled()
    assert not handling.done()
    write.acknowledge()
    with pytest.raises(Abandoned):
        await handling
    await log.nothing()
    assert push.provider.took == [one.delivery_id]
    assert set(push.ledger.find([one, two])) == {one.delivery_id}
    # What came of it is told; of the other nothing is.
    told = await log.flushed()
    ((_, value),) = told.entries
    assert [event.delivery_id for event in decode(value or b"")] == [one.delivery_id]


class Failing(Taking):
    """A provider that takes nothing, and says so."""

    name = "failing"

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """Refuse them for now."""
        return [TransientFailure(Reason.PROVIDER_ERROR, "later") for _ in deliveries]


async def test_who_was_called_before_the_one_that_took_it_is_told_with_the_same_write(
    runtime: Runtime, log: GatheringGate
) -> None:
    push, said = Push(runtime, log, Failing()), critical()
    handling = asyncio.create_task(push.handle(slice_of(said)))
    (write,) = await log.next()
    assert marked_in(write) == [said.delivery_id]
    write.acknowledge()
    await handling
    await log.nothing()
    told = await log.flushed()
    ((_, value),) = told.entries
    assert [(event.stage, event.provider) for event in decode(value or b"")] == [
        (Stage.RETRYING, "failing"),
        (Stage.SENT, "taking"),
    ]
    assert value is not None
    assert value in (write.entries[-1][1] or b""), "byte for byte what a successor would tell"
