"""The sinks of push, e-mail and SMS: deliveries become provider calls, each made once."""

import asyncio
from collections.abc import Sequence
from typing import TypeGuard
from zlib import crc32

import msgspec
from aiokafka import ConsumerRecord

from agents.calls import Call
from agents.dispatch import Answer, Dispatch
from agents.state import Stateful, open_store
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
from sinks.provider import Retry
from sinks.registry import Weighted
from tables.erased import ERASED, is_forgotten, note_erasures
from tables.sent import SENT, SentLedger, SentMark
from tables.turn import Turn

SLICE = 250
"""Deliveries in one slice: one that is slow holds up no more than these."""
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
    )


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
        store = open_store(runtime, self._name, number, SENT, ERASED)
        super().__init__(store, runtime, self._name, kinds)
        self._dispatch = dispatch
        self._closing = closing
        self._ledger = SentLedger(self._store)

    async def handle(self, slice_: Slice) -> None:
        """Deliver all of the slice, then tell what became of each; or note who was erased."""
        turn = Turn(slice_, self._store, self._runtime.outputs())
        if slice_.partition.topic == ERASURES.name:
            note_erasures(turn, self._intake.read(slice_, turn.outputs))
            await turn.finish()
            return
        # A delivery that stands here twice was written by a replay: one call for both.
        pending = {
            d.delivery_id: (record, d) for record, d in self._intake.read(slice_, turn.outputs)
        }
        self._ledger.forget(self._runtime.clock.now())
        marks = self._ledger.find([delivery for _, delivery in pending.values()])
        results = await asyncio.gather(
            *(
                self._deliver(record, delivery, marks.get(name), turn.outputs)
                for name, (record, delivery) in pending.items()
            ),
            return_exceptions=True,
        )
        _raise_worst([result for result in results if not _is_fault(result)])
        for (record, delivery), result in zip(pending.values(), results, strict=True):
            if _is_fault(result):
                # Not once more: a call may have been made.
                fault = report_fault(record.topic, f"delivery {delivery.delivery_id}", result)
                self._give_up(record, delivery, "", fault, turn.outputs)
        await turn.finish()

    async def answer(self, question: bytes) -> bytes:
        """The circuits of this process, see schemas.circuit."""
        _decode(question)
        return encode(self._dispatch.circuits())

    async def _deliver(
        self, record: ConsumerRecord, delivery: Delivery, mark: SentMark | None, outputs: Outputs
    ) -> None:
        now = self._runtime.clock.now()
        if mark is None and now < delivery.expires_at:
            if self._closing.is_set():
                raise Abandoned
            # Asks by itself, right before the call, whether the user was erased.
            call = Call(delivery, self._ledger, self._closing, self._is_forgotten)
            self._tell(record, delivery, await self._dispatch.deliver(call), outputs)
        elif self._is_forgotten(delivery):
            return
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
        if failed.reason is Reason.UNREGISTERED:
            gone = unregistered(delivery, now)
            outputs.add(SUPPRESSIONS, record.partition, record.key, encode(gone))
        letter = dead_letter(self._name, record, failed, now)
        outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))
        outputs.add(DEAD_LETTERS, record.partition, letter.key, encode(letter))


def _is_fault(result: object) -> TypeGuard[Exception]:
    return isinstance(result, Exception) and is_of_record(result)


def _raise_worst(results: Sequence[object]) -> None:
    errors = [result for result in results if isinstance(result, BaseException)]
    for error in sorted(errors, key=lambda error: isinstance(error, Abandoned)):
        raise error


def _jitter(delivery: Delivery) -> float:
    """A number in [0, 1) that a replay of the same attempt finds again."""
    return crc32(f"{delivery.delivery_id}{delivery.attempt}".encode()) / (1 << 32)
