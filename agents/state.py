"""Where a role's partition stores live, and which tables they hold."""

from typing import Any

from pipeline.runtime import Runtime
from pipeline.topics import changelog
from tables.restore import Changelog
from tables.store import PartitionStore
from tables.table import Table, checker


def open_store(runtime: Runtime, role: str, number: int, *tables: Table[Any]) -> PartitionStore:
    """The store of a role's partition, behind its changelog; not yet restored."""
    source = Changelog(runtime.settings.kafka, changelog(role).name, number, checker(*tables))
    folder = runtime.settings.data_dir / role / str(number)
    return PartitionStore(folder, source, runtime.producer)
