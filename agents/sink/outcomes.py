"""Outcomes of deliveries become durable in groups: whatever ended during one write goes with the
next."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.process.runtime import Runtime
from pipeline.processing.slices import Slice
from pipeline.producing.group_commit import GroupCommit
from pipeline.producing.outputs import Outputs
from tables.storage.finished_ahead import Ahead, Span
from tables.storage.store import Store
from tables.storage.transaction import TRANSACTION_BYTES, Transaction

SPAN_BYTES = 100
"""That an outcome without outputs counts for in a write: its offsets are stored as well."""


class Done(NamedTuple):
    """Offsets of a slice that are done, and the outputs that this has."""

    slice_: Slice
    spans: list[Span]
    outputs: Outputs


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
            self._write, TRANSACTION_BYTES, size=lambda done: SPAN_BYTES + done.outputs.size
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
        spans = [span for done in group for span in done.spans]
        await transaction.commit(up_to=self._ahead_of(slice_).finish(spans, transaction))
