"""The sinks of push, e-mail and SMS: deliveries become provider calls, each made once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec
from aiokafka import ConsumerRecord

from agents.log_ids import ids_of
from agents.sink.dispatch import Dispatch
from agents.sink.emission import Emission
from agents.sink.outcomes import Done, Outcomes, Sending
from agents.sink.provider_calls import Call
from agents.state import Stateful, open_store
from pipeline.process.runtime import Runtime
from pipeline.processing.record_faults import is_of_record, report_fault
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice
from policy.tracking.ticket import Ticket
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.errors import Abandoned, BadRecord
from schemas.question import ReadCircuits, ReadSentTicket
from schemas.topics import DELIVER, ERASURES, Topic
from schemas.vocabulary import Channel, Priority, Reason
from sinks.registry import Weighted
from tables.erasure_filter import ERASED, erased_at, note_erasures
from tables.sent import SENT, SentLedger, SentMark
from tables.storage.finished_ahead import AHEAD, Span
from tables.storage.store import Store
from tables.storage.transaction import Transaction

SLICE = 250
"""Deliveries in one slice."""
IN_FLIGHT = 2000
"""Deliveries of one topic and partition that are under way; more wait for the slowest of them."""
MOST_REPLACING = 10_000
"""Things of which a partition knows what came last: as long as its worker runs, longer than most
are tried again."""
QUESTION_SECONDS = 2.0
"""Seconds that a request for a delivery's ticket waits while its call is in flight."""
_decode = msgspec.json.Decoder(ReadCircuits | ReadSentTicket).decode


def sink(channel: Channel, providers: Sequence[Weighted], runtime: Runtime) -> Role:
    """The role of a channel that these providers serve."""
    name = str(channel)
    topics = [DELIVER[channel, priority] for priority in Priority]
    holds = getattr(runtime.settings, f"{channel}_uncertain", "resend") == "hold"
    dispatch = Dispatch(providers, runtime, holds=holds)

    async def check() -> None:
        for provider, _ in providers:
            await provider.check()

    def open_handler(number: int, closing: asyncio.Event) -> Sink:
        store = open_store(runtime, name, number, SENT, ERASED, AHEAD)
        return Sink(channel, runtime, dispatch, store, closing)

    return Role(
        name=name,
        topics=(ERASURES.name, *(topic.name for topic in topics)),
        open_handler=open_handler,
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


class Sink(Stateful):
    """A channel's share of one partition."""

    waits = True

    def __init__(
        self,
        channel: Channel,
        runtime: Runtime,
        dispatch: Dispatch,
        store: Store,
        closing: asyncio.Event,
    ) -> None:
        self._name = str(channel)
        kinds: dict[Topic, type[msgspec.Struct]] = {
            ERASURES: Erasure,
            **{DELIVER[channel, priority]: Delivery for priority in Priority},
        }
        super().__init__(store, runtime, self._name, kinds)
        self._dispatch = dispatch
        self._closing = closing
        self._ledger = SentLedger(store)
        self._outcomes = Outcomes(store, runtime)
        self._under_way: dict[str, asyncio.Event] = {}
        self._newest: dict[str, int] = {}

    async def handle(self, slice_: Slice) -> None:
        """Deliver all of the slice, and emit what became of each once it is known; or note who was
        erased."""
        if slice_.partition.topic == ERASURES.name:
            transaction = Transaction(slice_, self._store, self._runtime.outputs())
            note_erasures(transaction, self._intake.read(slice_, transaction.outputs))
            await transaction.commit()
            return
        self._ledger.forget(self._runtime.clock.now())
        left, works = self._outcomes.begin(slice_), dict[str, Work]()
        unread = self._runtime.outputs()
        records = [record for record in slice_.records if record.offset in left]
        for record, delivery in self._intake.read(replace(slice_, records=records), unread):
            # A delivery that stands here twice was written by a replay: one call for both.
            work = works.setdefault(delivery.delivery_id, Work(record, delivery, []))
            work.spans.append(left.pop(record.offset))
        for work in works.values():
            self._note_replacing(work.delivery)
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

    async def _work_on(
        self, slice_: Slice, work: Work, mark: SentMark | None, *, is_stale: bool
    ) -> None:
        """Deliver; the mark may have come since, where it `is_stale`."""
        record, delivery = work.record, work.delivery
        name, emission = delivery.delivery_id, self._emission(work)
        done = Done(slice_, work.spans, emission.outputs)
        while (other := self._under_way.get(name)) is not None:
            # The same, written once more by a replay: what came of it decides.
            await other.wait()
            is_stale = True
        if is_stale:
            mark = self._ledger.find([delivery]).get(name)
        self._under_way[name] = asyncio.Event()
        sending = Sending(self._ledger, self._outcomes, done, emission)
        try:
            await self._deliver(record, delivery, mark, emission, sending)
        except Exception as error:
            if not is_of_record(error):
                raise
            # Not once more: a call may have been made.
            fault = report_fault(record.topic, f"delivery {name}", error, **ids_of(delivery))
            emission = self._emission(work)
            emission.failed("", fault)
            done = done._replace(outputs=emission.outputs)
        finally:
            self._under_way.pop(name).set()
        if not sending.is_done:
            await self._outcomes.submit(done)

    async def answer(self, question: bytes) -> bytes:
        """See schemas.question; raises TimeoutError."""
        asked = _decode(question)
        if isinstance(asked, ReadCircuits):
            return encode(self._dispatch.circuits())
        return encode(await self._kept_tickets(asked))

    async def _kept_tickets(self, asked: ReadSentTicket) -> list[Ticket]:
        # A receipt may be here before the mark is.
        if (call := self._under_way.get(asked.delivery_id)) is not None:
            async with asyncio.timeout(QUESTION_SECONDS):
                await call.wait()
        mark = self._ledger.read(asked.delivery_id, asked.day)
        ticket = None if mark is None else mark.ticket
        if ticket is None or self._is_forgotten(ticket):
            return []
        return [ticket]

    async def _deliver(
        self,
        record: ConsumerRecord,
        delivery: Delivery,
        mark: SentMark | None,
        emission: Emission,
        sending: Sending,
    ) -> None:
        origin = f"{record.topic}:{record.offset}"
        if mark is not None and mark.held not in ("", origin):
            mark = None  # an operator replays what was held
        if mark is not None and mark.at <= self._erased_at(delivery) < delivery.accepted_at:
            mark = None  # of a user who was erased since: who is back was not sent it
        if mark is None and self._runtime.clock.now() < delivery.expires_at:
            if self._closing.is_set():
                raise Abandoned
            if self._is_outdated(delivery):
                emission.replaced()
                return
            # Asks by itself, right before the call, whether the user was erased.
            closing, is_forgotten = self._closing, self._is_forgotten
            call = Call(delivery, sending, closing, is_forgotten, origin, sending.failed)
            answer = await self._dispatch.deliver(call)
            # What was sent is told already, also of who is forgotten: a call can't be taken back.
            if not sending.is_done and not self._is_forgotten(delivery):
                emission.answered(answer)
        elif self._is_forgotten(delivery):
            return
        elif mark is not None and mark.held:
            emission.failed(mark.provider, BadRecord(Reason.UNCERTAIN, mark.reference))
        elif mark is not None:
            emission.sent(mark)
        else:
            emission.expired()

    def _note_replacing(self, delivery: Delivery) -> None:
        """Remember what of one thing was accepted last, and forget what is longest known."""
        if not delivery.replaces:
            return
        last = max(delivery.accepted_at, self._newest.pop(delivery.replaces, 0))
        self._newest[delivery.replaces] = last
        if len(self._newest) > MOST_REPLACING:
            del self._newest[next(iter(self._newest))]

    def _is_outdated(self, delivery: Delivery) -> bool:
        # What is tried again would take the place of what came meanwhile.
        return delivery.accepted_at < self._newest.get(delivery.replaces, 0)

    def _emission(self, work: Work) -> Emission:
        outputs = self._runtime.outputs()
        return Emission(self._name, self._runtime.clock, work.record, work.delivery, outputs)

    def _is_forgotten(self, said: Delivery | Ticket) -> bool:
        return said.accepted_at <= self._erased_at(said)

    def _erased_at(self, said: Delivery | Ticket) -> int:
        return erased_at(self._store, said.tenant, said.user)


def _raise_worst(results: Sequence[object]) -> None:
    errors = [result for result in results if isinstance(result, BaseException)]
    for error in sorted(errors, key=lambda error: isinstance(error, Abandoned)):
        raise error
