"""Errors that nobody foresaw: whether a record is to blame, and what is told of them.

A record that is bad in a way we know of raises BadRecord. Whatever else is raised while a record is
worked on is most likely raised because of what it holds: a number too large to be stored, a date
beyond the calendar. It must not end the process, as the next one would read the record again.
"""

import traceback
from pathlib import Path

from aiokafka.errors import KafkaError

from pipeline.errors import BadRecord, TocsinError
from schemas.vocabulary import Reason

AROUND = (TocsinError, OSError, MemoryError, KafkaError)
"""What says that something around the record is broken: disk, Kafka, ClickHouse, our state."""
_ROOT = Path(__file__).parents[1]


def is_of_record(error: BaseException) -> bool:
    """Whether an error may come of what a record holds, and not of what is broken around it."""
    return isinstance(error, Exception) and not isinstance(error, AROUND)


def unprocessable(error: BaseException) -> BadRecord:
    """What is said of a record whose handling raised this: the error, and where it was raised."""
    said = f"{type(error).__name__}: {error}"
    place = _place(error)
    return BadRecord(Reason.UNPROCESSABLE, f"{said[:300]}{place and f' ({place})'}")


def _place(error: BaseException) -> str:
    """The last place of the traceback that is in our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
            return f"{path.relative_to(_ROOT).as_posix()}:{frame.lineno}, {frame.name}"
    return ""
