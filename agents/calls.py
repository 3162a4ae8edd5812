"""The provider calls of a process: shared by deliveries, bounded, the urgent ones first."""

import asyncio
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from pipeline.batcher import Batcher
from pipeline.lanes import Abandoned
from pipeline.metrics import PROVIDER_CALLS
from pipeline.runtime import Runtime
from pipeline.slots import Slots
from schemas.delivery import Delivery
from schemas.vocabulary import Priority
from sinks.provider import Outcome, Provider, Refused, Retry, Sent
from tables.sent import SentLedger, SentMark


class Call(Struct, frozen=True):
    """A delivery that waits for its call, and where to note that it was sent."""

    delivery: Delivery
    ledger: SentLedger
    closing: asyncio.Event


Result = SentMark | Retry | Refused
"""What came of a delivery's call: the mark that the ledger now holds, or why it was not sent."""


class Calls:
    """The provider calls of this process: shared by deliveries, bounded, urgent ones first."""

    def __init__(self, provider: Provider, runtime: Runtime) -> None:
        self._provider = provider
        self._clock = runtime.clock
        self._slots = Slots(runtime.settings.calls_in_flight)
        self._batchers: dict[Priority, Batcher[Call, Result]] = {
            priority: Batcher(
                partial(self._make, priority), provider.batch_size, provider.linger(priority)
            )
            for priority in Priority
        }

    async def deliver(self, call: Call) -> Result:
        """Make the call, maybe shared with others; what was sent is in the ledger on return."""
        return await self._batchers[call.delivery.priority].submit(call)

    async def _make(self, priority: Priority, calls: Sequence[Call]) -> Sequence[Result]:
        # The slot is held until the marks are durable: a kill repeats what is in a slot, no more.
        async with self._slots.hold(priority):
            if any(call.closing.is_set() for call in calls):
                raise Abandoned
            outcomes = await self._provider.send([call.delivery for call in calls])
            now = self._clock.now()
            pairs = zip(calls, outcomes, strict=True)
            return await asyncio.gather(
                *(self._note(call, outcome, now) for call, outcome in pairs)
            )

    async def _note(self, call: Call, outcome: Outcome, now: int) -> Result:
        name = self._provider.name
        PROVIDER_CALLS.labels(name, type(outcome).__name__.lower()).inc()
        if not isinstance(outcome, Sent):
            return outcome
        mark = SentMark(now, name, outcome.reference, call.delivery.attempt)
        await call.ledger.mark(call.delivery, mark)
        return mark
