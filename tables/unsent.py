"""Outputs of what the clock set off, stored with the state until the broker has them.

A slice that was cut short is read again, and its outputs are made again from the same records. A
timer has no record: after a crash, and with what has become known since, it might be decided
otherwise than it was already told. So its outputs are part of what is stored, and go out after
it, as often as it takes.
"""

from msgspec import Struct

from pipeline.outputs import Outputs
from pipeline.producer import Entry
from tables.store import Changes, Store
from tables.table import Table

ROW_BYTES = 1 << 19
"""What one row holds, or little more; a changelog record must fit into its topic."""


class Unsent(Struct, frozen=True, array_like=True):
    """Records for one partition of a topic."""

    topic: str
    partition: int
    entries: list[Entry]


UNSENT = Table(b"u", Unsent)
"""By number; one turn's at most."""


def rows_of(outputs: Outputs) -> dict[bytes, bytes]:
    """The rows in which these outputs are stored."""
    rows: dict[bytes, bytes] = {}

    def store(place: tuple[str, int], entries: list[Entry]) -> None:
        key = UNSENT.prefix + len(rows).to_bytes(4, "big")
        rows[key] = UNSENT.encode(Unsent(*place, entries))

    for place, entries in outputs.entries.items():
        chunk, size = list[Entry](), 0
        for entry in entries:
            chunk.append(entry)
            size += len(entry[1] or b"")
            if size >= ROW_BYTES:
                store(place, chunk)
                chunk, size = [], 0
        if chunk:
            store(place, chunk)
    return rows


async def send_unsent(store: Store, outputs: Outputs) -> None:
    """Send what was left when a process ended; on return the broker has it and it is forgotten."""
    rows: Changes = dict.fromkeys((key for key, _ in store.scan(UNSENT.prefix)), None)
    for key, value in zip(rows, store.get_many(list(rows)), strict=True):
        assert value is not None, key  # noqa: S101  nobody else writes here
        unsent = UNSENT.decode(value)
        outputs.entries[unsent.topic, unsent.partition] += unsent.entries
    await outputs.flush()
    await store.write(rows)
