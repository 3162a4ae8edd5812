"""One slice's outputs and state, and the one order in which they become durable."""

from functools import partial
from typing import Any, TypeVar

from pipeline.processing.record_faults import is_of_record
from pipeline.processing.slices import Slice
from pipeline.producing.outputs import MOST_BYTES, NO_RECORDS, Outputs, Records
from schemas.errors import Unavailable
from tables.storage.store import Store
from tables.storage.table import Table, View

Value = TypeVar("Value")
TRANSACTION_BYTES = 2 << 20
"""Bytes of outputs after which a transaction ends that could go on, as they share a batch."""


class Transaction:
    """What a handler reads and writes while it works through one slice, or what is due.

    Until `finish` nothing of it can be seen outside, so a crash before it leaves no trace.
    """

    def __init__(self, slice_: Slice | None, store: Store, outputs: Outputs) -> None:
        self.outputs = outputs
        self._slice = slice_
        self._store = store
        self._views: dict[bytes, View[Any]] = {}

    def view(self, table: Table[Value]) -> View[Value]:
        """A table with this slice's own writes on top."""
        if table.prefix not in self._views:
            self._views[table.prefix] = View(table, self._store)
        return self._views[table.prefix]

    async def commit(self, up_to: int | None = None) -> None:
        """Make it durable, whatever its size; `up_to` an offset where the rest is yet to be done.

        1. State, frontier and the encoded outputs go to the changelog in one write, acknowledged.
        2. State and frontier go to RocksDB, in one write.
        3. Every output is sent, and acknowledged by the broker.
        4. That they were sent is noted with the next write, or within about a second.
        Then the caller's lane moves the frontier that is committed. A crash before 1 repeats the
        slice, of which nobody has heard; after it a successor sends again, byte for byte, what
        isn't recorded as sent, and decides nothing again. What can't be encoded is raised before 1.
        """
        changes = self._changes()
        records = self.outputs.take()
        try:
            await self._make_durable(changes, records, up_to)
        except Exception as error:
            if not is_of_record(error):
                raise
            # Some of it may be out: no record may be blamed for that and taken once more.
            raise Unavailable(
                f"What came of records could not be written ({type(error).__name__}: {error}). "
                "They were not committed and are read again."
            ) from error

    async def _make_durable(
        self, changes: dict[bytes, bytes | None], records: Records, up_to: int | None
    ) -> None:
        frontier, now, later = None, records, NO_RECORDS
        if self._slice is not None:
            end = self._slice.next if up_to is None else up_to
            frontier = self._slice.partition.topic, end
            # What is due by the clock leaves at once: there is no input whose commit would wait for
            # it, so nobody could tell from outside whether all of it is out.
            now, later = self.outputs.part(records)
        unsent = await self._store.write(changes, frontier, now, later)
        self._keep()
        if unsent.later is None:
            await self.outputs.send([*now, *later])
        else:
            noted = partial(self._store.sent_later, unsent.later)
            await self.outputs.send(now, later, noted)
        await self._store.sent(unsent.now)

    def _changes(self) -> dict[bytes, bytes | None]:
        changes: dict[bytes, bytes | None] = {}
        for view in self._views.values():
            changes.update(view.changes())
        largest = max(map(len, filter(None, changes.values())), default=0)
        if largest > MOST_BYTES:
            raise ValueError(f"{largest} bytes of state under one key, {MOST_BYTES} are possible")
        return changes

    def _keep(self) -> None:
        for view in self._views.values():
            view.keep()
