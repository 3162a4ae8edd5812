"""Outcomes of deliveries become durable in groups: whatever ended during one write goes with the
next. That a delivery was sent, which no replay may send again, is part of its outcome."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from agents.sink.dispatch import Answer
from agents.sink.emission import Emission
from agents.sink.provider_calls import Failures
from pipeline.process.runtime import Runtime
from pipeline.processing.slices import Slice
from pipeline.producing.group_commit import GroupCommit
from pipeline.producing.outputs import Outputs
from schemas.delivery import Delivery
from tables.sent import SENT, SentLedger, SentMark, place_of
from tables.storage.finished_ahead import Ahead, Span
from tables.storage.store import Store
from tables.storage.transaction import TRANSACTION_BYTES, Transaction

OUTCOME_BYTES = 200
"""That an outcome without outputs counts for in a write: its offsets and its mark."""
LINGER = 0.01
"""Seconds that an outcome waits for others where none is being written: nobody waits for it but a
slot, and each write has its price."""


class Done(NamedTuple):
    """Offsets of a slice that are done, and the outputs that this has; with the mark of a delivery
    where it was sent."""

    slice_: Slice
    spans: list[Span]
    outputs: Outputs
    sent: tuple[Delivery, SentMark] | None = None


class Outcomes:
    """What is done in one partition, of any topic, in any order.

    An outcome is durable in the changelog, with how far its topic is done by it, before its outputs
    are sent; on return of `submit` they are acknowledged too.
    """

    def __init__(self, store: Store, runtime: Runtime) -> None:
        self._store = store
        self._runtime = runtime
        self._ahead: dict[str, Ahead] = {}
        self._writes: GroupCommit[Done, None] = GroupCommit(
            self._write,
            TRANSACTION_BYTES,
            LINGER,
            size=lambda done: OUTCOME_BYTES + done.outputs.size,
        )

    def begin(self, slice_: Slice) -> dict[int, Span]:
        """What is still to be done of a slice; see `tables.storage.finished_ahead.Ahead.begin`."""
        return self._ahead_of(slice_).begin(slice_)

    async def submit(self, done: Done) -> None:
        """Have it written with others that end about now."""
        await self._writes.submit(done)

    def _ahead_of(self, slice_: Slice) -> Ahead:
        topic = slice_.partition.topic
        if topic not in self._ahead:
            self._ahead[topic] = Ahead(self._store, topic)
        return self._ahead[topic]

    async def _write(self, group: Sequence[Done]) -> list[None]:
        by_topic: dict[str, list[Done]] = {}
        for done in group:
            by_topic.setdefault(done.slice_.partition.topic, []).append(done)
        if len(by_topic) == 1:
            await self._write_topic(group)
        else:
            await asyncio.gather(*map(self._write_topic, by_topic.values()))
        return [None] * len(group)

    async def _write_topic(self, group: Sequence[Done]) -> None:
        slice_ = group[0].slice_
        transaction = Transaction(slice_, self._store, self._runtime.outputs())
        for done in group:
            transaction.outputs.extend(done.outputs)
            if done.sent is not None:
                delivery, mark = done.sent
                transaction.view(SENT).put(place_of(delivery), mark)
        spans = [span for done in group for span in done.spans]
        await transaction.commit(up_to=self._ahead_of(slice_).finish(spans, transaction))


class Sending:
    """What is noted of one delivery that is being sent; a `agents.sink.provider_calls.Ledger`.

    That it was sent becomes durable together with its outcome, after which it `is_done`. That it
    may have been is noted before anything else is decided. Whoever calls providers adds to
    `failed`, of which the outcome tells.
    """

    def __init__(
        self, ledger: SentLedger, outcomes: Outcomes, done: Done, emission: Emission
    ) -> None:
        self._ledger = ledger
        self._outcomes = outcomes
        self._done = done
        self._emission = emission
        self.failed: Failures = []
        self.is_done = False

    async def mark(self, delivery: Delivery, mark: SentMark) -> None:
        """Note it; on return the changelog has it, and any replay will know."""
        if mark.held:
            await self._ledger.mark(delivery, mark)
            return
        self._emission.answered(Answer(mark.provider, mark, tuple(self.failed)))
        await self._outcomes.submit(self._done._replace(sent=(delivery, mark)))
        self.is_done = True
