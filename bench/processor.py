"""Processor time of running processes, from /proc."""

import os
from collections.abc import Mapping
from pathlib import Path

PROC = Path("/proc")


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """What each process took so far, all its threads; 0 where there is no /proc to tell."""
    return {name: ticks_of(pid) / os.sysconf("SC_CLK_TCK") for name, pid in pids.items()}


def ticks_of(pid: int) -> int:
    """Clock ticks of one process; 0 if it is gone."""
    try:
        fields = fields_of((PROC / str(pid) / "stat").read_text())
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def cpu_us_each(
    before: Mapping[str, float], after: Mapping[str, float], count: int
) -> dict[str, float]:
    """Microseconds a unit between two readings of `cpu_seconds`."""
    return {name: (after[name] - before[name]) / max(1, count) * 1e6 for name in before}


def fields_of(stat: str) -> list[str]:
    """The fields of a process's `stat` from its state on."""
    # The name before them may hold anything, also spaces and brackets.
    return stat.rpartition(")")[2].split()


def descriptors_of(pid: int) -> int:
    """How many files and sockets a process has open; 0 where there is no /proc to tell."""
    try:
        return sum(1 for _ in (PROC / str(pid) / "fd").iterdir())
    except OSError:
        return 0
