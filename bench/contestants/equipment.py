"""What the process of every contestant is given alike: our workers' event loop, collector and
allocator."""

import asyncio
import gc
from collections.abc import Mapping

from msgspec import Struct

from pipeline.process.allocator import keep_freed_memory
from pipeline.process.gc_tuning import tune_collector
from schemas.errors import Unavailable

WORDS = "bench: runs on "
NO_LOOP = "no event loop"


class Equipment(Struct, frozen=True):
    """What a contestant's process runs on, as it reports itself."""

    loop: str
    collector: tuple[int, ...]
    """The thresholds of Python's garbage collector."""


def equip() -> None:
    """Set the garbage collector and the allocator as our workers do, once all is loaded.

    The loop is for each contestant to set, in the way that its own documentation names.
    """
    tune_collector()
    keep_freed_memory()


def report() -> None:
    """Print what this process runs on; from within the event loop, if there is one."""
    try:
        loop = type(asyncio.get_running_loop()).__module__
    except RuntimeError:
        loop = NO_LOOP
    print(WORDS, loop, ";", *gc.get_threshold(), flush=True)


def reported(log: str) -> Equipment:
    """What a contestant reported in its log; raises Unavailable if it did not."""
    for line in log.splitlines():
        if line.startswith(WORDS):
            loop, _, thresholds = line.removeprefix(WORDS).partition(";")
            return Equipment(loop.strip(), tuple(map(int, thresholds.split())))
    raise Unavailable("A contestant did not report which event loop and collector it runs on.")


def check_fair(equipment: Mapping[str, Equipment], ours: str) -> None:
    """Raise Unavailable if one lacks what ours has; one without an event loop needs none."""
    for name, theirs in equipment.items():
        mine = equipment[ours]
        if theirs.loop not in (mine.loop, NO_LOOP) or theirs.collector != mine.collector:
            raise Unavailable(f"The contest is not fair: {name} has {theirs}, and ours {mine}.")
