"""Names that nothing else in the shared topics bears."""

import os
import time
from itertools import count

from pipeline.producing.outputs import partition_of
from tests.agents.line import PARTITIONS

RUN = f"{os.getpid():x}{time.time_ns():x}"
_numbers = count()


def unique(name: str) -> str:
    """A name that no other test, and no other run on the same Kafka, uses."""
    return f"{name}-{RUN}-{next(_numbers)}"


def users_of(partition: int, number: int) -> list[str]:
    """So many users whose state is in a partition."""
    found: list[str] = []
    while len(found) < number:
        if partition_of(user := unique("user"), PARTITIONS) == partition:
            found.append(user)
    return found
