"""How much of the machine programs take that are no part of a benchmark."""

import os
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from bench.processor import fields_of

PROC = Path("/proc")


class Ticks(NamedTuple):
    """What all processors did since they started, and what they did for us."""

    all: int
    working: int
    ours: int


class Elsewhere:
    """What others take from when this is made; nothing where there is no /proc to tell."""

    def __init__(self) -> None:
        self._begin = _ticks()

    def share(self) -> float:
        """Of all processors' time, 0 to 1. Ours is what this process and its children did."""
        now = _ticks()
        others = (now.working - now.ours) - (self._begin.working - self._begin.ours)
        return round(max(0, others) / max(1, now.all - self._begin.all), 2)


def _ticks() -> Ticks:
    try:
        said = (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return Ticks(0, 0, 0)
    user, nice, system, *rest = map(int, said)
    working = user + nice + system
    return Ticks(working + sum(rest), working, _ours())


def _ours() -> int:
    children: defaultdict[int, list[int]] = defaultdict(list)
    spent: dict[int, int] = {}
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            fields = fields_of(stat.read_text())
        except OSError:
            continue  # it ended
        process = int(stat.parent.name)
        children[int(fields[1])].append(process)
        spent[process] = int(fields[11]) + int(fields[12])
    total, left = 0, [os.getpid()]
    while left:
        process = left.pop()
        total += spent.get(process, 0)
        left += children[process]
    return total
