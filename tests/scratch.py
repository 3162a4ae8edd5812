"""Where tests have their folders: in memory, where there is plenty of it.

Every Kafka makes thousands of small files, and is killed and removed soon after: on a disk, making
them takes as long as all else that its start does. What a test proves is the same, as no test cuts
the power: what a killed process has written is the system's to keep, in either place.
"""

import os
import shutil
import tempfile
from pathlib import Path

IN_MEMORY = Path("/dev/shm")
GIB = 1 << 30
ROOM = 6 * GIB
"""Three times what a whole run has there at once."""
LEFT = 4 * GIB
"""For the processes of three that share the work."""


def choose(room: int, free: int) -> bool:
    """Whether to use memory with this room for files, where the system has so much left of it."""
    return room >= ROOM and free >= ROOM + LEFT


def use_memory() -> None:
    """Have this process, and those that it starts, keep their folders in memory if it fits."""
    if "TMPDIR" not in os.environ and IN_MEMORY.is_dir() and choose(_room(), _free()):
        os.environ["TMPDIR"] = str(IN_MEMORY)
        # It has looked already, and would not look again.
        tempfile.tempdir = None


def _room() -> int:
    return shutil.disk_usage(IN_MEMORY).free


def _free() -> int:
    """Memory that nobody uses, or that can be taken from what is read from disks."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) << 10
    return 0
