"""What handlers keep: where a role's partition stores live, and when they open and close."""

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.process.runtime import Runtime
from pipeline.processing.decoder import Intake
from pipeline.processing.frontiers import Stored
from pipeline.processing.lanes import ReadTo
from pipeline.processing.parts import Trust
from pipeline.processing.record_faults import report_fault
from pipeline.processing.slices import Slice
from pipeline.producing.outputs import Outputs
from schemas.topics import Topic, changelog
from tables.storage.crash_marks import BEGUN, Deaths
from tables.storage.restore import Changelog
from tables.storage.state_memory import state_memory
from tables.storage.store import PartitionStore, Store
from tables.storage.table import Table, checker
from tables.storage.transaction import Transaction


def open_store(runtime: Runtime, role: str, number: int, *tables: Table[Any]) -> PartitionStore:
    """The store of a role's partition, behind its changelog; not yet restored."""
    source = Changelog(
        runtime.settings.brokers, changelog(role).name, number, checker(*tables, BEGUN)
    )
    folder = runtime.settings.data_dir / role / str(number)
    memory = state_memory(runtime.settings.state_memory_mb)
    return PartitionStore(folder, source, runtime.producer, memory=memory)


class Reading:
    """What all handlers have: what they run with, and how they read records of these `kinds`."""

    def __init__(
        self, runtime: Runtime, name: str, kinds: Mapping[Topic, type[msgspec.Struct]]
    ) -> None:
        self._runtime = runtime
        settings = runtime.settings
        self._intake = Intake(name, kinds, runtime.clock, settings.bad_share, settings.partitions)

    def _refuse(self, slice_: Slice, error: Exception, outputs: Outputs) -> None:
        """Add the slice's one record to the outputs as a dead letter."""
        record = slice_.records[0]
        fault = report_fault(
            record.topic, f"partition {record.partition}, offset {record.offset}", error
        )
        self._intake.set_aside(record, fault, outputs)


class Stateful(Reading):
    """A handler's half that has to do with its partition store."""

    waits = False

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        name: str,
        kinds: Mapping[Topic, type[msgspec.Struct]],
    ) -> None:
        super().__init__(runtime, name, kinds)
        self._store = store
        self._deaths = Deaths(store)

    async def restore(self) -> Stored:
        """Bring the state up to its changelog, and send what its last owner may not have sent.

        Returns the frontiers stored in it.
        """
        frontiers = await self._store.restore()
        await self._store.send_again(self._runtime.producer)
        return Stored(frontiers, self._store.is_new)

    async def note_sent(self, after: float) -> None:
        """Note what was sent `after` seconds ago or earlier: no successor sends it again."""
        await self._store.note_sent(after)

    async def trust(self, slice_: Slice) -> Trust:
        """How to take a slice, after how processes before this one ended."""
        return Trust.WHOLE if self.waits else await self._deaths.trust(slice_)

    async def note_alone(self, slice_: Slice) -> None:
        """This process works on nothing but the slice's record now."""
        await self._deaths.note_alone(slice_)

    async def acquit(self, slice_: Slice) -> None:
        """What ends the process now is not the slice's fault."""
        if not self.waits:
            await self._deaths.acquit(slice_)

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Make the slice's one record a dead letter."""
        transaction = Transaction(slice_, self._store, self._runtime.outputs())
        self._refuse(slice_, error, transaction.outputs)
        await transaction.commit()

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Nothing is ever due, unless a role says otherwise."""
        return None

    async def close(self) -> None:
        """Close the state."""
        self._store.close()


class Stateless(Reading):
    """The same half of a handler that keeps nothing beside its topics."""

    waits = True  # for ClickHouse, as long as that takes

    async def trust(self, slice_: Slice) -> Trust:
        """Nothing is kept of processes before this one."""
        return Trust.WHOLE

    async def note_alone(self, slice_: Slice) -> None:
        """Nothing is noted."""

    async def acquit(self, slice_: Slice) -> None:
        """Nothing is noted."""

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Make the slice's one record a dead letter."""
        outputs = self._runtime.outputs()
        self._refuse(slice_, error, outputs)
        await outputs.flush()

    async def restore(self) -> Stored:
        """Nothing to restore: the committed offsets are all there is."""
        return Stored({})

    async def note_sent(self, after: float) -> None:
        """Nothing is noted."""

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Nothing is ever due."""
        return None

    async def close(self) -> None:
        """Nothing to close."""
