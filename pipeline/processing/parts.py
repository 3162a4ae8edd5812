"""Having a slice handled as a whole, or in parts where that can't be."""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from pipeline.processing.record_faults import is_of_record
from pipeline.processing.slices import Slice, halves
from pipeline.processing.turns import TURNS

ENDED = "several processes ended without a word while they worked on this record"


class EndedProcesses(Exception):
    """Stands for what nobody could catch: memory, or a crash of a C library."""


class Trust(Enum):
    """How a slice may be taken, after what became of processes that began with it."""

    WHOLE = "whole"
    ALONE = "alone"  # one record at a time, and nothing else in this process meanwhile
    NONE = "none"  # not at all: this record ended the processes that worked on it


class SliceHandler(Protocol):
    """As much of a handler as slices need.

    Where it `waits`, a record may take long, as others are waited for: then kills from outside may
    well hit the same one and say nothing of it, and nobody can wait until it is done.
    """

    waits: bool

    async def trust(self, slice_: Slice) -> Trust:
        """How to take a slice, asked before it, and before each part where it is `ALONE`."""
        ...

    async def note_alone(self, slice_: Slice) -> None:
        """Note durably that this process is about to work on the slice's record, and on no other.

        Asked of what is `ALONE`.
        """
        ...

    async def acquit(self, slice_: Slice) -> None:
        """What ends the process now is not the slice's fault; it raises nothing."""
        ...

    async def handle(self, slice_: Slice) -> None:
        """Work through one slice; see `pipeline.processing.lanes.Handler`."""
        ...

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Make the slice's one record a dead letter, counted and logged, for this was raised.

        As durable, on return, as a handled slice.
        """
        ...


async def handle_with_care(
    handler: SliceHandler, slice_: Slice, finished: Callable[[Slice], None]
) -> None:
    """As `handle_in_parts`; a record at which processes have ended is set aside untouched."""
    trust = await handler.trust(slice_)
    if len(slice_.records) > 1 and trust is not Trust.WHOLE:
        for half in halves(slice_):
            await handle_with_care(handler, half, finished)
    elif trust is Trust.NONE:
        await handler.set_aside(slice_, EndedProcesses(ENDED))
        finished(slice_)
    elif trust is Trust.ALONE:
        async with TURNS.alone():
            await handler.note_alone(slice_)
            await _handle_or_acquit(handler, slice_, finished)
    elif handler.waits:
        await _handle_or_acquit(handler, slice_, finished)
    else:
        async with TURNS.beside():
            await _handle_or_acquit(handler, slice_, finished)


async def _handle_or_acquit(
    handler: SliceHandler, slice_: Slice, finished: Callable[[Slice], None]
) -> None:
    try:
        await handle_in_parts(handler, slice_, finished)
    except Exception:
        await handler.acquit(slice_)
        raise


async def handle_in_parts(
    handler: SliceHandler, slice_: Slice, finished: Callable[[Slice], None]
) -> None:
    """Have a slice handled; `finished` is told of it, or of each part, when that is durable.

    Where a handler raises something that a record may be to blame for, nothing of the slice has
    left. So it is taken in halves, and those again, until the
    record is alone; one that fails twice alone is set aside, and its neighbours have gone on.
    Whatever is broken around records is raised.
    """
    try:
        await handler.handle(slice_)
    except Exception as error:
        if not is_of_record(error):
            raise
    else:
        finished(slice_)
        return
    if len(slice_.records) > 1:
        for half in halves(slice_):
            await handle_in_parts(handler, half, finished)
    else:
        await _once_more(handler, slice_)
        finished(slice_)


async def _once_more(handler: SliceHandler, slice_: Slice) -> None:
    try:
        await handler.handle(slice_)
    except Exception as error:
        if not is_of_record(error):
            raise
        await handler.set_aside(slice_, error)
