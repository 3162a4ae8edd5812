"""The sent-ledger: what a sink's provider accepted, so that a replay does not send it again."""

from collections.abc import Sequence

from msgspec import Struct

from pipeline.batcher import Batcher
from tables.store import PartitionStore
from tables.table import Table

GROUP_COMMIT = 0.005
"""Seconds that a mark waits for others to be written with it."""
KEPT_SECONDS = 172_800
"""Two days: longer than any delivery lives, and than its records are read again."""


class SentMark(Struct, frozen=True, array_like=True):
    """A provider took a delivery at `at` (epoch ms), on this attempt, under this reference."""

    at: int
    provider: str
    reference: str
    attempt: int


SENT = Table(b"s", SentMark)
"""By delivery id."""


class SentLedger:
    """The sent-ledger of one partition."""

    def __init__(self, store: PartitionStore) -> None:
        self._store = store
        self._marks: Batcher[tuple[str, SentMark], None] = Batcher(self._write, 1000, GROUP_COMMIT)

    def find(self, delivery_ids: Sequence[str]) -> dict[str, SentMark]:
        """The marks of those that were sent."""
        values = self._store.get_many([_key(delivery_id) for delivery_id in delivery_ids])
        return {
            delivery_id: SENT.decode(value)
            for delivery_id, value in zip(delivery_ids, values, strict=True)
            if value is not None
        }

    async def mark(self, delivery_id: str, mark: SentMark) -> None:
        """Note that it was sent; on return the changelog has it, and any replay will know."""
        await self._marks.submit((delivery_id, mark))

    async def _write(self, marks: Sequence[tuple[str, SentMark]]) -> list[None]:
        await self._store.write({_key(name): SENT.encode(mark) for name, mark in marks})
        return [None] * len(marks)


def _key(delivery_id: str) -> bytes:
    return SENT.prefix + bytes.fromhex(delivery_id)
