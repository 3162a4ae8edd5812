"""What a broker keeps on disk, seen from its folder."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_PARTITION = re.compile(r"(.+)-\d+")
OWN = "__"
"""What the names of Kafka's own topics begin with."""


class Kept(Struct, frozen=True):
    """Bytes in the logs by topic, and partitions by topic; Kafka's own among them."""

    bytes: Counter[str]
    partitions: Counter[str]


def kept_in(folder: Path) -> Kept:
    """What is in a broker's folder now; indexes, which are made ahead of use, don't count."""
    kept = Kept(Counter(), Counter())
    for partition, files in _walk(folder):
        logs = [file for file in files if file.suffix == ".log"]
        match = _PARTITION.fullmatch(partition.name)
        if not logs or match is None or partition.name.startswith(f"{OWN}cluster_metadata-"):
            continue
        kept.partitions[match[1]] += 1
        kept.bytes[match[1]] += sum(size_of(log) for log in logs)
    return kept


def size_of(file: Path) -> int:
    """Bytes of a file; 0 if it is gone by now."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def disk_of(folder: Path) -> int:
    """Bytes that a folder takes on disk: what was made ahead of use and not written takes none."""
    return sum(_blocks_of(file) for _, files in _walk(folder) for file in files) * 512


def _blocks_of(file: Path) -> int:
    try:
        return file.lstat().st_blocks
    except OSError:
        return 0


def _walk(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder within, and its files; passes over what a running server deletes meanwhile."""
    for path, _, names in os.walk(folder):
        yield Path(path), [Path(path, name) for name in names]
