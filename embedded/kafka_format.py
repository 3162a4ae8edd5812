"""Formats a folder for Kafka: with Kafka's own tool once on a machine, and then as that did.

The tool is a Java program that takes as long as Kafka's own start. It writes which features this
version of Kafka begins with, which are the same in all folders, and what the folder is called.
"""

import base64
import os
import shutil
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

from embedded.java import KAFKA_VERSION, cache

CLUSTER_ID = "dG9jc2luLWVtYmVkZGVkLQ"
"""One id for every embedded cluster, so that formatting a folder twice comes to the same."""
NAMES, FEATURES = "meta.properties", "bootstrap.checkpoint"
"""What a formatted folder holds. Names are written last, and tell that it is formatted."""


async def format_once(data: Path, node: int, use_tool: Callable[[], Awaitable[None]]) -> None:
    """Format the folder for the node of this id, unless it is formatted.

    `use_tool` does it where no folder was formatted yet on this machine. Raises what it does.
    """
    if (data / NAMES).exists():
        return
    kept = cache() / f"kafka-{KAFKA_VERSION}.{FEATURES}"
    if not kept.exists():
        await use_tool()
        _keep(data / FEATURES, kept)
    else:
        _write(data, node, kept)


def _write(data: Path, node: int, kept: Path) -> None:
    """What the tool would write, with these features."""
    data.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(kept, data / FEATURES)
    names = {
        "cluster.id": CLUSTER_ID,
        # As Kafka makes them: 16 random bytes for URLs, without their padding.
        "directory.id": base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode(),
        "node.id": node,
        "version": 1,
    }
    (data / NAMES).write_text("".join(f"{name}={value}\n" for name, value in names.items()))


def _keep(features: Path, kept: Path) -> None:
    """Have them there as a whole or not at all, whoever else does the same."""
    partial = kept.with_name(f"{kept.name}.{os.getpid()}-{uuid.uuid4().hex}")
    shutil.copyfile(features, partial)
    partial.replace(kept)
