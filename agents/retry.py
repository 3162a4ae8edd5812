"""The retry agent: what a provider did not take goes back to its channel when it is due."""

import asyncio
import contextlib
from collections.abc import Iterable

import msgspec
from aiokafka import ConsumerRecord

from agents.state import Stateful, open_store
from pipeline.monitoring import metrics
from pipeline.process.runtime import Runtime
from pipeline.processing.frontiers import Stored
from pipeline.processing.lanes import ReadTo
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice
from schemas.delivery import Delivery
from schemas.erasure import Erasure
from schemas.topics import DELIVER, ERASURES, RETRY, Topic
from tables.erasure_filter import ERASED, ErasureFilter, is_forgotten
from tables.storage.step import Step
from tables.storage.store import Store
from tables.storage.transaction import Transaction
from tables.timers import TIMERS
from tables.waiting import WAITING, Waiting

NAME = "retry"
TABLES = (ERASED, TIMERS, WAITING)
SLICE = 100
"""Records in one slice, each with a whole message in it."""


def retry(runtime: Runtime) -> Role:
    """The role `retry`."""

    def open_handler(number: int, closing: asyncio.Event) -> Retries:
        return Retries(runtime, open_store(runtime, NAME, number, *TABLES), number)

    return Role(
        name=NAME,
        topics=(ERASURES.name, RETRY.name),
        open_handler=open_handler,
        slice_records={RETRY.name: SLICE},
    )


class Retries(Stateful):
    """The pending retries of one partition.

    Each delivery goes when it is due, whatever waits before or behind it.
    """

    def __init__(self, runtime: Runtime, store: Store, number: int) -> None:
        kinds: dict[Topic, type[msgspec.Struct]] = {ERASURES: Erasure, RETRY: Delivery}
        super().__init__(store, runtime, NAME, kinds)
        self._number = number
        self._waiting = Waiting(store)

    async def restore(self) -> Stored:
        """Bring the state up to its changelog, and count pending retries."""
        stored = await super().restore()
        await self._waiting.begin()
        self._tell_count()
        return stored

    async def close(self) -> None:
        """Close the state."""
        await super().close()
        with contextlib.suppress(KeyError):
            metrics.RETRIES_WAITING.remove(self._number)

    async def handle(self, slice_: Slice) -> None:
        """Keep each delivery until it is due; or drop what waits for who was erased."""
        transaction = Transaction(slice_, self._store, self._runtime.outputs())
        records = self._intake.read(slice_, transaction.outputs)
        if slice_.partition.topic == ERASURES.name:
            self._erase(transaction, records)
        else:
            forgotten = ErasureFilter(transaction)
            for record, delivery in records:
                if not forgotten.covers(delivery.tenant, delivery.user, delivery.accepted_at):
                    self._waiting.add(transaction, delivery, record.value or b"")
        await transaction.commit()
        self._tell_count()

    def _erase(
        self, transaction: Transaction, records: Iterable[tuple[ConsumerRecord, Erasure]]
    ) -> None:
        forgotten, step = ErasureFilter(transaction), Step()
        for record, erasure in records:
            forgotten.note(erasure.tenant, erasure.user, record.timestamp)
            self._waiting.drop(transaction, erasure.tenant, erasure.user, record.timestamp, step)

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Put back what is due."""
        now = self._runtime.clock.now()
        transaction = Transaction(None, self._store, self._runtime.outputs())
        due = self._waiting.take_due(transaction, now)
        if due:
            for each in due:
                self._put_back(transaction, each.delivery, each.record)
            await transaction.commit()
            self._tell_count()
            return 0
        following = self._waiting.next_due(now)
        return None if following is None else max(0, following - now) / 1000

    def _tell_count(self) -> None:
        # Once all is acknowledged: whoever sees none waiting finds those that went in their topics.
        metrics.RETRIES_WAITING.labels(self._number).set(self._waiting.count)

    def _put_back(self, transaction: Transaction, delivery: Delivery, record: bytes) -> None:
        # What an erasure had no room for in its turn is dropped here.
        if not is_forgotten(self._store, delivery.tenant, delivery.user, delivery.accepted_at):
            topic = DELIVER[delivery.channel, delivery.priority]
            transaction.outputs.add(topic, self._number, delivery.user.encode(), record)
