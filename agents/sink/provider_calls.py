"""The calls of one provider in a process: shared by deliveries, bounded, the urgent ones first."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import cache, partial
from math import inf
from typing import Protocol

from msgspec import Struct

from agents.log_ids import ids_of
from agents.spans import call_headers, called
from pipeline.batcher import Batcher
from pipeline.monitoring.metrics import CIRCUIT, FAILING_SINCE, PROVIDER_CALLS, PROVIDER_ERRORS
from pipeline.process.runtime import Runtime
from pipeline.processing.record_faults import is_of_record, report_fault
from pipeline.processing.weighted_semaphore import WeightedSemaphore
from policy.tracking.ticket import ticket_of
from schemas.delivery import Delivery
from schemas.errors import Abandoned
from schemas.question import CircuitState
from schemas.vocabulary import Priority, Reason
from sinks.email.own_links import WITHOUT_URL, OwnLinks
from sinks.http.breaker import Answers, Breaker, Circuit, answers_of
from sinks.http.client import BEFORE_CALL, TRACE_HEADERS
from sinks.http.health import Health
from sinks.provider import Outcome, PermanentFailure, Provider, Sent, TransientFailure
from sinks.tracking import Tracking
from tables.sent import SentMark

log = logging.getLogger(__name__)
_answered = cache(PROVIDER_CALLS.labels)
_WORDS = {Sent: "sent", TransientFailure: "retry", PermanentFailure: "refused"}
"""Outcomes as they are counted: alerts and dashboards ask for these words."""


class Ledger(Protocol):
    """Where it is noted that a delivery was sent."""

    async def mark(self, delivery: Delivery, mark: SentMark) -> None:
        """Note it; on return the changelog has it, and any replay will know."""
        ...


Failures = list[tuple[str, TransientFailure]]
"""Providers that were called and certainly did not take a delivery, in their order."""


class Call(Struct, frozen=True):
    """A delivery that waits for its call, and where to note that it was sent.

    `is_forgotten` says at any moment whether its user was erased since it was accepted; `origin`
    names the record that it stands in. Whoever calls one provider after the other adds to
    `failed`, so that the ledger can say of them, too.
    """

    delivery: Delivery
    ledger: Ledger
    closing: asyncio.Event
    is_forgotten: Callable[[Delivery], bool] = lambda _: False
    origin: str = ""
    failed: Failures = []


Result = SentMark | TransientFailure | PermanentFailure
"""What came of a delivery's call: the mark that the ledger now holds, or why it was not sent."""
FORGOTTEN = PermanentFailure(Reason.NONE, "the user was erased, so no call was made")
NOT_CALLED = TransientFailure(Reason.CIRCUIT_OPEN, "the provider is in trouble and was not called")


class Calls:
    """One provider's calls: bounded by slots of its own, and none while its circuit is open.

    So a provider that hangs keeps its own slots busy, until its circuit opens, and nobody else's.
    Where it `holds`, what it may have taken is never sent again by itself.
    """

    def __init__(self, provider: Provider, runtime: Runtime, *, holds: bool = False) -> None:
        self.provider = provider
        self._holds = holds
        self._clock = runtime.clock
        self._check_lease = runtime.check_lease
        self._tracking = Tracking(runtime.settings)
        self._links = OwnLinks(runtime.settings)
        self._slots = WeightedSemaphore(runtime.settings.calls_in_flight, provider.calls_per_server)
        # Half the time-out: a provider that hangs is left alone before all calls time out. One
        # whose addresses are servers of their own has circuits for them itself.
        stall = runtime.settings.provider_timeout * 500 if provider.is_one_server else inf
        self._breaker = Breaker(stall)
        self._circuit = Circuit.CLOSED
        self._health = Health()
        # To look a metric up by its labels takes longer than to set it.
        self._circuit_shown = CIRCUIT.labels(provider.name)
        self._failing_since = FAILING_SINCE.labels(provider.name)
        self._circuit_shown.set(Circuit.CLOSED)
        self._batchers: dict[Priority, Batcher[Call, Result]] = {
            priority: Batcher(
                partial(self._make, priority), provider.batch_size, provider.linger(priority)
            )
            for priority in Priority
        }

    @property
    def is_open(self) -> bool:
        """Whether the provider is left alone now."""
        return self._breaker.circuit(self._clock.now()) is Circuit.OPEN

    def circuit(self, instead: Sequence[str]) -> CircuitState:
        """Its state for an operator; `instead` is who is called while it isn't."""
        circuit, health = self._breaker.circuit(self._clock.now()), self._health
        return CircuitState(
            provider=self.provider.name,
            state=circuit.name.lower(),
            free_in=self.free_in(),
            failing_since=health.failing_since,
            last_error=health.last_error,
            last_error_at=health.last_error_at,
            instead=list(instead) if circuit is Circuit.OPEN else [],
        )

    def free_in(self) -> float:
        """Seconds until it may be called again, at the earliest."""
        now = self._clock.now()
        return (self._breaker.free_at(now) - now) / 1000

    async def deliver(self, call: Call) -> Result:
        """Make the call, maybe shared with others; what was sent is in the ledger on return.

        NOT_CALLED where the circuit is open by the time it is this delivery's turn, and FORGOTTEN
        where the user was erased by then.
        """
        return await self._batchers[call.delivery.priority].submit(call)

    async def _make(self, priority: Priority, calls: Sequence[Call]) -> Sequence[Result]:
        # The slot is held until the marks are durable: a kill repeats what is in a slot, no more.
        # Only providers with one message a call have several servers.
        server = self.provider.server_of(calls[0].delivery)
        async with self._slots.hold(priority, server):
            if any(call.closing.is_set() for call in calls):
                raise Abandoned
            gone = [call.is_forgotten(call.delivery) for call in calls]
            if True not in gone:
                return await self._make_all(calls)
            wanted = [call for call, is_gone in zip(calls, gone, strict=True) if not is_gone]
            results = iter(await self._make_all(wanted) if wanted else ())
            return [FORGOTTEN if is_gone else next(results) for is_gone in gone]

    async def _make_all(self, calls: Sequence[Call]) -> Sequence[Result]:
        users = frozenset((call.delivery.tenant, call.delivery.user) for call in calls)
        started = self._breaker.start(self._clock.now(), users)
        if started is None:
            self._tell_circuit(())
            return [NOT_CALLED] * len(calls)
        outcomes: Sequence[Outcome] | None = None
        made: list[None] = []
        begun, deliveries = self._clock.now(), [call.delivery for call in calls]
        traced = next((each for each in deliveries if each.trace), None)
        headers = None if traced is None else TRACE_HEADERS.set(call_headers(traced, deliveries))
        try:
            outcomes = await self._send(deliveries, made)
        finally:
            if headers is not None:
                TRACE_HEADERS.reset(headers)
            answers = None if outcomes is None else self._answers(outcomes, made)
            self._breaker.end(started, self._clock.now(), answers)
            self._tell_circuit(outcomes or ())
        now = self._clock.now()
        if traced is not None and made:
            called(self.provider.name, deliveries, outcomes, begun, now)
        if made:
            self._health.note(now, outcomes)
            self._failing_since.set(self._health.failing_since / 1000)
        if len(calls) == 1:
            return [await self._note(calls[0], outcomes[0], now)]
        pairs = zip(calls, outcomes, strict=True)
        return await asyncio.gather(*(self._note(call, outcome, now) for call, outcome in pairs))

    async def _send(self, deliveries: Sequence[Delivery], made: list[None]) -> Sequence[Outcome]:
        """One call for all of them, noted in `made`. Where that raises what no provider should, no
        call is repeated: those that no call was made for are tried one by one, and what raises
        alone is refused."""
        lacking = [self._links.lacks(each) for each in deliveries]
        if True in lacking:
            pairs = zip(deliveries, lacking, strict=True)
            sendable = [each for each, is_lacking in pairs if not is_lacking]
            sent = iter(await self._send(sendable, made) if sendable else ())
            return [WITHOUT_URL if is_lacking else next(sent) for is_lacking in lacking]
        before = len(made)

        def before_call() -> None:
            self._check_lease()
            made.append(None)

        called = BEFORE_CALL.set(before_call)
        try:
            return await self.provider.send(
                [self._tracking.tracked(self._links.linked(each)) for each in deliveries]
            )
        except Exception as error:
            if not is_of_record(error):
                raise
            is_called = len(made) > before
            if len(deliveries) > 1 and not is_called:
                return [
                    outcome for each in deliveries for outcome in await self._send([each], made)
                ]
            fault = report_fault(self.provider.name, "a delivery", error, **ids_of(deliveries[0]))
            said = f"it may have been sent: {fault.detail}" if is_called else fault.detail
            return [PermanentFailure(fault.reason, said)] * len(deliveries)
        finally:
            BEFORE_CALL.reset(called)

    def _answers(self, outcomes: Sequence[Outcome], made: Sequence[None]) -> Answers | None:
        """What the outcomes say of the provider; nothing where it was not called at all."""
        if not self.provider.is_one_server:
            return Answers(failed=False)
        said = answers_of(outcomes)
        return said if made or (said is not None and said.failed) else None

    async def _note(self, call: Call, outcome: Outcome, now: int) -> Result:
        name, delivery = self.provider.name, call.delivery
        ticket = ticket_of(delivery) if self.provider.keeps_tickets else None
        _answered(name, _WORDS[type(outcome)]).inc()
        if isinstance(outcome, TransientFailure) and outcome.concerns_all:
            PROVIDER_ERRORS.labels(name, outcome.reason).inc()
        if isinstance(outcome, TransientFailure) and outcome.uncertain and self._holds:
            # Noted before anything else is done: a stop in the middle of the slice must not lead
            # to a second call.
            detail = f"it may have been sent: {outcome.reason}: {outcome.detail}"
            where = call.origin or "?"
            held = SentMark(now, name, detail, delivery.attempt, held=where, ticket=ticket)
            await call.ledger.mark(delivery, held)
            return PermanentFailure(Reason.UNCERTAIN, detail)
        if not isinstance(outcome, Sent):
            return outcome
        mark = SentMark(
            now,
            name,
            outcome.reference,
            delivery.attempt,
            outcome.segments,
            outcome.cost,
            ticket=ticket,
        )
        await call.ledger.mark(delivery, mark)
        return mark

    def _tell_circuit(self, outcomes: Sequence[Outcome]) -> None:
        circuit = self._breaker.circuit(self._clock.now())
        self._circuit_shown.set(circuit)
        if (circuit is Circuit.OPEN) == (self._circuit is Circuit.OPEN):
            return
        self._circuit = circuit
        if circuit is not Circuit.OPEN:
            log.warning("%s is called again.", self.provider.name)
            return
        said = [f"{o.reason}: {o.detail}" for o in outcomes if isinstance(o, TransientFailure)]
        log.warning(
            "%s is left alone for %.0f s (%s). Its deliveries go to the channel's other providers, "
            "or wait in Kafka; nothing is lost.",
            self.provider.name,
            self.free_in(),
            said[0] if said else "calls wait and none is answered",
        )
