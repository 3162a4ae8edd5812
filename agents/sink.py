"""The sinks of push, e-mail and SMS: deliveries become provider calls, each made once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from zlib import crc32

import msgspec
from aiokafka import ConsumerRecord

from agents.calls import Call
from agents.dispatch import Answer, Dispatch
from agents.state import Stateful, open_store
from pipeline.batcher import Batcher
from pipeline.dead_letters import dead_letter
from pipeline.errors import Abandoned, BadRecord
from pipeline.outputs import Outputs
from pipeline.partitions import Role
from pipeline.record_faults import is_of_record, report_fault
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.topics import (
    DEAD_LETTERS,
    DELIVER,
    DELIVERY_EVENTS,
    ERASURES,
    RETRIES,
    RETRY_DELAYS,
    SUPPRESSIONS,
    Topic,
)
from policy.delivery_events import reached
from policy.retry import GiveUp, next_attempt
from policy.user.suppression import unregistered
from schemas.circuit import ReadCircuits
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.vocabulary import Channel, Priority, Reason, Stage
from sinks.provider import Refused, Retry
from sinks.registry import Weighted
from tables.ahead import AHEAD, Ahead, Span
from tables.erased import ERASED, is_forgotten, note_erasures
from tables.sent import GROUP_COMMIT, SENT, SentLedger, SentMark
from tables.turn import Turn

SLICE = 250
"""Deliveries in one slice, and outcomes that are written together."""
IN_FLIGHT = 2000
"""Deliveries of one topic and partition that are under way; more wait for the slowest of them."""
_decode = msgspec.json.Decoder(ReadCircuits).decode


def sink(channel: Channel, providers: Sequence[Weighted], runtime: Runtime) -> Role:
    """The role of a channel that these providers serve."""
    topics = [DELIVER[channel, priority] for priority in Priority]
    holds = getattr(runtime.settings, f"{channel}_uncertain", "resend") == "hold"
    dispatch = Dispatch(providers, runtime, holds=holds)

    async def check() -> None:
        for provider, _ in providers:
            await provider.check()

    return Role(
        name=str(channel),
        topics=(ERASURES.name, *(topic.name for topic in topics)),
        open_handler=lambda number, closing: Sink(channel, runtime, dispatch, number, closing),
        lane_per_topic=True,
        answers=True,
        check=check,
        slice_records={topic.name: SLICE for topic in topics},
        in_flight={topic.name: IN_FLIGHT for topic in topics},
    )


class Work(NamedTuple):
    """A delivery, and the offsets that are done with it."""

    record: ConsumerRecord
    delivery: Delivery
    spans: list[Span]


class Done(NamedTuple):
    """What came of offsets of a slice."""

    slice_: Slice
    spans: list[Span]
    outputs: Outputs


class Sink(Stateful):
    """A channel's share of one partition."""

    waits = True

    def __init__(
        self,
        channel: Channel,
        runtime: Runtime,
        dispatch: Dispatch,
        number: int,
        closing: asyncio.Event,
    ) -> None:
        self._name = str(channel)
        kinds: dict[Topic, type[msgspec.Struct]] = {
            ERASURES: Erasure,
            **{DELIVER[channel, priority]: Delivery for priority in Priority},
        }
        store = open_store(runtime, self._name, number, SENT, ERASED, AHEAD)
        super().__init__(store, runtime, self._name, kinds)
        self._dispatch = dispatch
        self._closing = closing
        self._ledger = SentLedger(self._store)
        self._ahead: dict[str, Ahead] = {}
        self._outcomes: Batcher[Done, None] = Batcher(self._write, SLICE, GROUP_COMMIT)
        self._under_way: dict[str, asyncio.Event] = {}

    async def handle(self, slice_: Slice) -> None:
        """Deliver all of the slice, and tell what became of each once it is known; or note who was
        erased."""
        if slice_.partition.topic == ERASURES.name:
            turn = Turn(slice_, self._store, self._runtime.outputs())
            note_erasures(turn, self._intake.read(slice_, turn.outputs))
            await turn.finish()
            return
        self._ledger.forget(self._runtime.clock.now())
        left, works = self._ahead_of(slice_).begin(slice_), dict[str, Work]()
        unread = self._runtime.outputs()
        records = [record for record in slice_.records if record.offset in left]
        for record, delivery in self._intake.read(replace(slice_, records=records), unread):
            # A delivery that stands here twice was written by a replay: one call for both.
            work = works.setdefault(delivery.delivery_id, Work(record, delivery, []))
            work.spans.append(left.pop(record.offset))
        marks = self._ledger.find([work.delivery for work in works.values()])
        busy = self._under_way.keys() & works.keys()
        tasks = [
            self._work_on(slice_, work, marks.get(name), is_stale=name in busy)
            for name, work in works.items()
        ]
        if left:
            tasks.append(self._outcomes.submit(Done(slice_, list(left.values()), unread)))
        results = await asyncio.gather(*tasks, return_exceptions=True)
        _raise_worst(results)

    def _ahead_of(self, slice_: Slice) -> Ahead:
        topic = slice_.partition.topic
        if topic not in self._ahead:
            self._ahead[topic] = Ahead(self._store, topic)
        return self._ahead[topic]

    async def _work_on(
        self, slice_: Slice, work: Work, mark: SentMark | None, *, is_stale: bool
    ) -> None:
        """Deliver; the mark may have come since, where it `is_stale`."""
        record, delivery = work.record, work.delivery
        name, outputs = delivery.delivery_id, self._runtime.outputs()
        while (other := self._under_way.get(name)) is not None:
            # The same, written once more by a replay: what came of it decides.
            await other.wait()
            is_stale = True
        if is_stale:
            mark = self._ledger.find([delivery]).get(name)
        self._under_way[name] = asyncio.Event()
        try:
            await self._deliver(record, delivery, mark, outputs)
        except Exception as error:
            if not is_of_record(error):
                raise
            # Not once more: a call may have been made.
            fault = report_fault(record.topic, f"delivery {name}", error)
            outputs = self._runtime.outputs()
            self._give_up(record, delivery, "", fault, outputs)
        finally:
            self._under_way.pop(name).set()
        await self._outcomes.submit(Done(slice_, work.spans, outputs))

    async def _write(self, outcomes: Sequence[Done]) -> list[None]:
        """Make outcomes durable; those of one topic together, with how far it is done by that."""
        by_topic: dict[str, list[Done]] = {}
        for done in outcomes:
            by_topic.setdefault(done.slice_.partition.topic, []).append(done)
        await asyncio.gather(*map(self._write_some, by_topic.values()))
        return [None] * len(outcomes)

    async def _write_some(self, outcomes: Sequence[Done]) -> None:
        slice_ = outcomes[0].slice_
        turn = Turn(slice_, self._store, self._runtime.outputs())
        for done in outcomes:
            turn.outputs.extend(done.outputs)
        spans = [span for done in outcomes for span in done.spans]
        await turn.finish(up_to=self._ahead_of(slice_).finish(spans, turn))

    async def answer(self, question: bytes) -> bytes:
        """The circuits of this process, see schemas.circuit."""
        _decode(question)
        return encode(self._dispatch.circuits())

    async def _deliver(
        self, record: ConsumerRecord, delivery: Delivery, mark: SentMark | None, outputs: Outputs
    ) -> None:
        now, origin = self._runtime.clock.now(), f"{record.topic}:{record.offset}"
        if mark is not None and mark.held not in ("", origin):
            mark = None  # an operator replays what was held
        if mark is None and now < delivery.expires_at:
            if self._closing.is_set():
                raise Abandoned
            # Asks by itself, right before the call, whether the user was erased.
            call = Call(delivery, self._ledger, self._closing, self._is_forgotten, origin)
            self._tell(record, delivery, await self._dispatch.deliver(call), outputs)
        elif self._is_forgotten(delivery):
            return
        elif mark is not None and mark.held:
            held = BadRecord(Reason.UNCERTAIN, mark.reference)
            self._give_up(record, delivery, mark.provider, held, outputs)
        elif mark is not None:
            self._tell_sent(delivery, mark, record, outputs)
        else:
            event = reached(delivery, Stage.SUPPRESSED, now, reason=Reason.EXPIRED)
            outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))

    def _is_forgotten(self, delivery: Delivery) -> bool:
        return is_forgotten(self._store, delivery.tenant, delivery.user, delivery.accepted_at)

    def _tell(
        self, record: ConsumerRecord, delivery: Delivery, answer: Answer, outputs: Outputs
    ) -> None:
        result = answer.result
        if isinstance(result, SentMark):
            self._tell_sent(delivery, result, record, outputs)
        elif self._is_forgotten(delivery):
            return
        elif isinstance(result, Retry):
            self._retry(record, delivery, answer.provider, result, outputs)
        else:
            failed = BadRecord(result.reason, result.detail)
            self._give_up(record, delivery, answer.provider, failed, outputs)
            if is_gone(delivery, result):
                said = unregistered(delivery, self._runtime.clock.now())
                outputs.add(SUPPRESSIONS, record.partition, record.key, encode(said))

    def _tell_sent(
        self, delivery: Delivery, mark: SentMark, record: ConsumerRecord, outputs: Outputs
    ) -> None:
        sent = msgspec.structs.replace(delivery, attempt=mark.attempt)
        event = reached(
            sent,
            Stage.SENT,
            mark.at,
            provider=mark.provider,
            detail=mark.reference,
            segments=mark.segments,
            cost=mark.cost,
        )
        outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))

    def _retry(
        self,
        record: ConsumerRecord,
        delivery: Delivery,
        provider: str,
        outcome: Retry,
        outputs: Outputs,
    ) -> None:
        now = self._runtime.clock.now()
        step = next_attempt(
            delivery,
            outcome.reason,
            after=outcome.after,
            now=now,
            jitter=_jitter(delivery),
            delays=RETRY_DELAYS,
        )
        if isinstance(step, GiveUp):
            failed = BadRecord(step.reason, f"{outcome.reason}: {outcome.detail}")
            self._give_up(record, delivery, provider, failed, outputs)
            return
        event = reached(
            delivery,
            Stage.RETRYING,
            now,
            reason=outcome.reason,
            provider=provider,
            detail=outcome.detail,
        )
        again = msgspec.structs.replace(delivery, attempt=delivery.attempt + 1, due_at=step.due_at)
        outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))
        outputs.add(RETRIES[step.tier], record.partition, record.key, encode(again))

    def _give_up(
        self,
        record: ConsumerRecord,
        delivery: Delivery,
        provider: str,
        failed: BadRecord,
        outputs: Outputs,
    ) -> None:
        now = self._runtime.clock.now()
        event = reached(
            delivery,
            Stage.FAILED,
            now,
            reason=failed.reason,
            provider=provider,
            detail=failed.detail,
        )
        letter = dead_letter(self._name, record, failed, now)
        outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))
        outputs.add(DEAD_LETTERS, record.partition, letter.key, encode(letter))


def is_gone(delivery: Delivery, refused: Refused) -> bool:
    """Whether the address is to be suppressed: nobody is there, or it never was a device."""
    if refused.reason is Reason.UNREGISTERED:
        return True
    is_no_device = delivery.channel is Channel.PUSH and refused.reason is Reason.INVALID_ADDRESS
    return is_no_device and refused.lasting


def _raise_worst(results: Sequence[object]) -> None:
    errors = [result for result in results if isinstance(result, BaseException)]
    for error in sorted(errors, key=lambda error: isinstance(error, Abandoned)):
        raise error


def _jitter(delivery: Delivery) -> float:
    """A number in [0, 1) that a replay of the same attempt finds again."""
    return crc32(f"{delivery.delivery_id}{delivery.attempt}".encode()) / (1 << 32)
