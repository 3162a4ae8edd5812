"""Rows as they stand in a changelog: plain MessagePack under the byte of their table."""

from typing import Any

import msgspec

from pipeline.clock import SystemClock
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from tables.storage.memory_store import MemoryStore
from tables.storage.table import Table, View
from tables.storage.transaction import Transaction


def turn_of(store: MemoryStore) -> Transaction:
    """A transaction on a store, as one that is not of a slice."""
    return Transaction(None, store, Outputs(MemoryLog(SystemClock())))


def read(table: Table[Any], prefix: bytes, plain: object) -> object:
    """What a table reads of a row that stands under this byte."""
    store = MemoryStore({prefix + b"key": msgspec.msgpack.encode(plain)})
    return View(table, store).get(b"key")


def written(table: Table[Any], value: object) -> dict[bytes, Any]:
    """What is stored for a value under `key`, by the whole key."""
    view = View(table, MemoryStore())
    view.put(b"key", value)
    return {key: msgspec.msgpack.decode(stored) for key, stored in view.changes().items() if stored}


def known(rows: dict[bytes, Any], plain: object) -> dict[bytes, Any]:
    """Of rows, what whoever stored them `plain` knows: newer fields stand behind its own."""
    return {key: _known(row, plain) for key, row in rows.items()}


def _known(row: Any, plain: object) -> Any:
    if isinstance(row, list) and isinstance(plain, list):
        # Shorter than what is known is wrong, and stays so.
        return [_known(*both) for both in zip(row, plain, strict=False)]
    if isinstance(row, dict) and isinstance(plain, dict):
        return {name: _known(value, plain.get(name)) for name, value in row.items()}
    return row


async def bytes_read_again(table: Table[Any], value: object) -> int:
    """How much of a value is read from the store by the second of two turns that look at it."""
    store = MemoryStore()
    transaction = turn_of(store)
    transaction.view(table).put(b"key", value)
    await transaction.commit()
    store.recent.clear()  # as after a restart
    first = turn_of(store)
    assert first.view(table).get(b"key") == value
    await first.commit()
    again = turn_of(store).view(table)
    assert again.get(b"key") == value
    return again.bytes_read
