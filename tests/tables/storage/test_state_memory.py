"""What many stores of a process take in memory: as much as one limit says, and nothing is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from tables.storage.state_memory import StateMemory
from tables.storage.store import PartitionStore
from tests.patience import until
from tests.tables.test_outdated import Compacted

MIB = 1 << 20
STORES = 20
KEYS = [b"key%d" % number for number in range(40)]
VALUE = Random(1).randbytes(50_000)
"""Which can't be compressed."""


@asynccontextmanager
async def stores_of(memory: StateMemory, folder: Path) -> AsyncIterator[list[PartitionStore]]:
    stores = []
    for number in range(STORES):
        log = Compacted()
        store = PartitionStore(folder / str(number), log, log, memory=memory)
        await store.restore()
        stores.append(store)
    yield stores
    for store in stores:
        store.close()


def in_memory(stores: list[PartitionStore]) -> int:
    """Bytes that are not yet in a file."""
    name = "rocksdb.cur-size-all-mem-tables"
    return sum(int(store._db.property_value(name)) for store in stores)


def are_files_written(stores: list[PartitionStore]) -> bool:
    """Whether no store still writes a file of what it holds in memory."""
    name = "rocksdb.num-immutable-mem-table"
    return all(int(store._db.property_value(name)) == 0 for store in stores)


async def test_what_stores_wrote_leaves_memory_for_files_and_is_read_from_there(
    tmp_path: Path,
) -> None:
    assert len(VALUE) * len(KEYS) * STORES > 2 * 16 * MIB
    async with stores_of(StateMemory(16), tmp_path) as stores:
        for key in KEYS:
            for store in stores:
                await store.write({key: VALUE})
        await until(lambda: are_files_written(stores))
        # Only a write looks at the limit: this one is for what came faster than files are written.
        for store in stores:
            await store.write({KEYS[0]: VALUE})
        await until(lambda: are_files_written(stores))
        assert in_memory(stores) <= 16 * MIB
        for store in stores:
            assert store.get_many(KEYS) == [VALUE] * len(KEYS)
