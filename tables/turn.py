"""One slice's outputs and state, and the one order in which they become durable."""

from typing import Any, TypeVar

from pipeline.errors import TooLarge, Unavailable
from pipeline.outputs import Outputs
from pipeline.producer import BATCH_BYTES, size_of
from pipeline.record_faults import is_of_record
from pipeline.slices import Slice
from tables.in_hand import IN_HAND, NOTE, InHand
from tables.store import Store
from tables.table import Table, View

Value = TypeVar("Value")
MOST_BYTES = BATCH_BYTES - (64 << 10)
"""Of state in one turn; note and frontier go into the same batch."""


class Turn:
    """What a handler reads and writes while it works through one slice, or what is due.

    Until `finish` nothing of it can be seen outside, so a crash before it leaves no trace. What
    would come out differently when done again must say what is `in_hand`.
    """

    def __init__(
        self,
        slice_: Slice | None,
        store: Store,
        outputs: Outputs,
        in_hand: InHand | None = None,
    ) -> None:
        self.outputs = outputs
        self._in_hand = in_hand
        self._slice = slice_
        self._store = store
        self._views: dict[bytes, View[Any]] = {}

    def view(self, table: Table[Value]) -> View[Value]:
        """A table with this slice's own writes on top."""
        if table.prefix not in self._views:
            self._views[table.prefix] = View(table, self._store)
        return self._views[table.prefix]

    async def finish(self, *, divisible: bool = False) -> None:
        """Make it durable; a crash anywhere in between repeats the same with the same ids.

        What is `divisible` and has more state than fits into one batch raises TooLarge, with
        nothing done: a crash between two batches would leave the first one's half alone.

        1. What is in hand is noted in the changelog, acknowledged, if anything is told of it.
        2. Every output is acknowledged by the broker.
        3. State and frontier go to the changelog in one go, acknowledged, and the note goes.
        4. The same go to RocksDB, in one write.
        Only then does the caller's lane move the frontier that is committed. What state can't be
        encoded is raised before the first of these.
        """
        changes = self._changes()
        if divisible and size_of(changes.items()) > MOST_BYTES:
            raise TooLarge
        try:
            await self._make_durable(changes)
        except Exception as error:
            if not is_of_record(error):
                raise
            # Some of it may be out: no record may be blamed for that and taken once more.
            raise Unavailable(
                f"What came of records could not be written ({type(error).__name__}: {error}). "
                "They were not committed and are read again."
            ) from error

    async def _make_durable(self, changes: dict[bytes, bytes | None]) -> None:
        if self._in_hand is not None and self.outputs.entries:
            await self._store.write({NOTE: IN_HAND.encode(self._in_hand)})
        await self.outputs.flush()
        if self._in_hand is not None and self._store.get_many([NOTE])[0] is not None:
            changes[NOTE] = None
        frontier = (self._slice.partition.topic, self._slice.next) if self._slice else None
        await self._store.write(changes, frontier)
        self._keep()

    def _changes(self) -> dict[bytes, bytes | None]:
        changes: dict[bytes, bytes | None] = {}
        for view in self._views.values():
            changes.update(view.changes())
        return changes

    def _keep(self) -> None:
        for view in self._views.values():
            view.keep()
