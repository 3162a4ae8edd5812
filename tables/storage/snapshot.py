"""A copy of what a role's changelog says, in memory: to look at, never to write."""

from collections.abc import Callable
from typing import Any

from pipeline.kafka.brokers import Kafka
from schemas.topics import changelog
from tables.storage.changelog_fold import Fold
from tables.storage.memory_store import MemoryStore
from tables.storage.restore import Changelog
from tables.storage.table import Table, checker

Wanted = Callable[[bytes], bool]
"""Whether a key, with its table's prefix, belongs into the copy."""


async def snapshot(
    kafka: Kafka, role: str, partition: int, wanted: Wanted, *tables: Table[Any]
) -> MemoryStore:
    """What one partition of a role's changelog says now of the keys that are wanted.

    Only these must be readable, as values of these tables: raises BrokenChangelog, Unavailable.
    """
    readable = checker(*tables)

    def check(key: bytes, value: bytes | None) -> None:
        if wanted(key):
            readable(key, value)

    stored: dict[bytes, bytes] = {}
    fold = Fold()
    source = Changelog(kafka, changelog(role).name, partition, check)
    async for records, _ in source.changes_from(0):
        for key, value in fold.take(records, 0):
            if key is None:
                continue
            if value is None:
                stored.pop(key, None)
            elif wanted(key):
                stored[key] = value
    return MemoryStore(stored)
