"""What is emitted for a delivery: its event, and the retry, dead letter or suppression with it."""

from zlib import crc32

import msgspec
from aiokafka import ConsumerRecord

from agents.sink.dispatch import Answer
from pipeline.clock import Clock
from pipeline.producing.outputs import Outputs
from pipeline.records.dead_letters import dead_letter
from policy.decision.replacing import OVERTAKEN
from policy.delivery_events import reached
from policy.retry import GiveUp, next_attempt
from policy.user.suppression import unregistered
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.errors import BadRecord
from schemas.topics import (
    DEAD_LETTERS,
    DELIVERY_EVENTS,
    RETRY,
    SUPPRESSIONS,
    Topic,
)
from schemas.vocabulary import Channel, Reason, Stage
from sinks.destination import destination_class
from sinks.provider import PermanentFailure, TransientFailure
from tables.sent import SentMark


class Emission:
    """The outputs of one delivery in a record.

    One of these is called, once; a second emission of the same delivery starts empty.
    """

    def __init__(
        self, role: str, clock: Clock, record: ConsumerRecord, delivery: Delivery, outputs: Outputs
    ) -> None:
        self._role = role
        self._clock = clock
        self._record = record
        self._delivery = delivery
        self.outputs = outputs

    def answered(self, answer: Answer) -> None:
        """What follows from what a provider said; of those before it, that they were called."""
        now = self._clock.now()
        for provider, retry in answer.before:
            called = reached(
                self._delivery, Stage.RETRYING, now, reason=retry.reason, provider=provider,
                detail=retry.detail,
            )  # fmt: skip
            # Of one attempt, beside what is told of the provider that was asked last.
            self._add_event(msgspec.structs.replace(called, id=f"{called.id}.{provider}"))
        match answer.result:
            case SentMark() as mark:
                self.sent(mark)
            case TransientFailure() as retry:
                self._retry(answer.provider, retry)
            case PermanentFailure() as refused:
                self.failed(answer.provider, BadRecord(refused.reason, refused.detail))
                if is_gone(self._delivery, refused):
                    said = unregistered(self._delivery, self._clock.now())
                    self._add_for_user(SUPPRESSIONS, said)

    def sent(self, mark: SentMark) -> None:
        """It was sent as the mark says, now or by a process before this one."""
        delivery = self._delivery
        if mark.attempt != delivery.attempt:
            delivery = msgspec.structs.replace(delivery, attempt=mark.attempt)
        self._add_event(
            reached(
                delivery,
                Stage.SENT,
                mark.at,
                provider=mark.provider,
                detail=mark.reference,
                segments=mark.segments,
                cost=mark.cost,
            )
        )

    def expired(self) -> None:
        """Its time is up, and no call was made."""
        now = self._clock.now()
        self._add_event(reached(self._delivery, Stage.SUPPRESSED, now, reason=Reason.EXPIRED))

    def replaced(self) -> None:
        """A later one of the same thing took its place before it went out."""
        now, why = self._clock.now(), OVERTAKEN
        event = reached(self._delivery, Stage.SUPPRESSED, now, reason=Reason.CANCELLED, detail=why)
        self._add_event(event)

    def failed(self, provider: str, failure: BadRecord) -> None:
        """It is given up: its record becomes a dead letter."""
        now = self._clock.now()
        self._add_failure(Stage.FAILED, now, provider, failure.reason, failure.detail)
        letter = dead_letter(self._role, self._record, failure, now)
        self.outputs.add(DEAD_LETTERS, self._record.partition, letter.key, encode(letter))

    def _retry(self, provider: str, retry: TransientFailure) -> None:
        now = self._clock.now()
        step = next_attempt(
            self._delivery,
            retry.reason,
            after=retry.after,
            now=now,
            jitter=_jitter(self._delivery),
        )
        if isinstance(step, GiveUp):
            self.failed(provider, BadRecord(step.reason, f"{retry.reason}: {retry.detail}"))
            return
        self._add_failure(Stage.RETRYING, now, provider, retry.reason, retry.detail)
        again = msgspec.structs.replace(
            self._delivery, attempt=self._delivery.attempt + 1, due_at=step.due_at
        )
        self._add_for_user(RETRY, again)

    def _add_failure(
        self, stage: Stage, at: int, provider: str, reason: Reason, detail: str
    ) -> None:
        self._add_event(
            reached(self._delivery, stage, at, reason=reason, provider=provider, detail=detail)
        )

    def _add_event(self, event: DeliveryEvent) -> None:
        delivery = self._delivery
        known = destination_class(delivery.channel, delivery.address)
        event = msgspec.structs.replace(event, destination=known)
        self.outputs.add(DELIVERY_EVENTS, self._record.partition, None, encode(event))

    def _add_for_user(self, topic: Topic, value: msgspec.Struct) -> None:
        self.outputs.add(topic, self._record.partition, self._record.key, encode(value))


def is_gone(delivery: Delivery, refused: PermanentFailure) -> bool:
    """Whether the address is to be suppressed: nobody is there, or it never was a device."""
    is_no_device = delivery.channel is Channel.PUSH and refused.reason is Reason.INVALID_ADDRESS
    return refused.lasting and (refused.reason is Reason.UNREGISTERED or is_no_device)


def _jitter(delivery: Delivery) -> float:
    """A number in [0, 1) that a replay of the same attempt finds again."""
    return crc32(f"{delivery.delivery_id}{delivery.attempt}".encode()) / (1 << 32)
