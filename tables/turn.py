"""One slice's outputs and state, and the one order in which they become durable."""

from typing import Any, TypeVar

from pipeline.outputs import Outputs
from pipeline.slices import Slice
from tables.store import PartitionStore
from tables.table import Table, View

Value = TypeVar("Value")


class Turn:
    """What a handler reads and writes while it works through one slice.

    Until `finish` nothing of it can be seen outside, so a crash before it leaves no trace.
    """

    def __init__(self, slice_: Slice, store: PartitionStore, outputs: Outputs) -> None:
        self.outputs = outputs
        self._slice = slice_
        self._store = store
        self._views: dict[bytes, View[Any]] = {}

    def view(self, table: Table[Value]) -> View[Value]:
        """A table with this slice's own writes on top."""
        if table.prefix not in self._views:
            self._views[table.prefix] = View(table, self._store)
        return self._views[table.prefix]

    async def finish(self) -> None:
        """Make it durable; a crash anywhere in between repeats the slice with the same ids.

        1. Every output is acknowledged by the broker.
        2. State and frontier go to the changelog in one go, acknowledged.
        3. The same go to RocksDB, in one write.
        Only then does the caller's lane move the frontier that is committed.
        """
        await self.outputs.flush()
        changes: dict[bytes, bytes | None] = {}
        for view in self._views.values():
            changes.update(view.changes())
        await self._store.write(changes, (self._slice.partition.topic, self._slice.next))
        for view in self._views.values():
            view.keep()
