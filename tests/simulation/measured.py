"""A store that counts what is done with it."""

from collections.abc import Iterator

from pipeline.producing.outputs import NO_RECORDS, Records
from tables.storage.journal import Unsent
from tables.storage.memory_store import MemoryStore
from tables.storage.store import Changes


class Measured(MemoryStore):
    """Counts the rows that scans read, and those of the largest write."""

    def __init__(self) -> None:
        super().__init__()
        self.scanned = self.most_written = 0

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        for entry in super().scan(prefix, start):
            self.scanned += 1
            yield entry

    async def write(
        self,
        changes: Changes,
        frontier: tuple[str, int] | None = None,
        outputs: Records = NO_RECORDS,
        later: Records = NO_RECORDS,
    ) -> Unsent:
        self.most_written = max(self.most_written, len(changes))
        return await super().write(changes, frontier, outputs, later)
