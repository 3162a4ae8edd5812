"""One slice's outputs and state, and the one order in which they become durable."""

from typing import Any, TypeVar

from pipeline.outputs import Outputs
from pipeline.slices import Slice
from tables.store import Store
from tables.table import Table, View
from tables.unsent import rows_of

Value = TypeVar("Value")


class Turn:
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

    async def finish_by_clock(self) -> None:
        """Make durable what no record set off: what is sent is stored first, see `tables.unsent`.

        1. State and outputs go to the changelog in one go, acknowledged, and to RocksDB.
        2. Every output is acknowledged by the broker.
        3. The stored outputs are forgotten.
        """
        rows = rows_of(self.outputs)
        await self._store.write({**self._changes(), **rows})
        await self.outputs.flush()
        await self._store.write(dict.fromkeys(rows))
        self._keep()

    async def finish(self) -> None:
        """Make it durable; a crash anywhere in between repeats the slice with the same ids.

        1. Every output is acknowledged by the broker.
        2. State and frontier go to the changelog in one go, acknowledged.
        3. The same go to RocksDB, in one write.
        Only then does the caller's lane move the frontier that is committed.
        """
        await self.outputs.flush()
        frontier = (self._slice.partition.topic, self._slice.next) if self._slice else None
        await self._store.write(self._changes(), frontier)
        self._keep()

    def _changes(self) -> dict[bytes, bytes | None]:
        changes: dict[bytes, bytes | None] = {}
        for view in self._views.values():
            changes.update(view.changes())
        return changes

    def _keep(self) -> None:
        for view in self._views.values():
            view.keep()
