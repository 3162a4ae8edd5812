"""Unforeseen errors: whether a record is to blame, and what is reported.

A record that is bad in a way we know of raises BadRecord. Whatever else is raised while a record is
worked on is most likely raised because of what it holds: a number too large to be stored, a date
beyond the calendar. It must not end the process, as the next one would read the record again.
"""

import logging
import traceback
from pathlib import Path

from aiokafka.errors import KafkaError

from pipeline.monitoring import metrics
from pipeline.monitoring.logs import IDS
from schemas.errors import BadRecord, TocsinError
from schemas.vocabulary import Reason

AROUND = (TocsinError, OSError, MemoryError, KafkaError)
"""What says that something around the record is broken: disk, Kafka, ClickHouse, our state."""
_ROOT = Path(__file__).parents[2]
log = logging.getLogger(__name__)


def is_of_record(error: BaseException) -> bool:
    """Whether an error may come of what a record holds, and not of what is broken around it."""
    return isinstance(error, Exception) and not isinstance(error, AROUND)


def report_fault(source: str, what: str, error: Exception, **ids: str) -> BadRecord:
    """Count and log that this was raised by `what`, which came from `source`; what is told of it.

    That is the error, and where it was raised. `what` must not name a user: logs outlive them.
    `ids` are of the event, the notification, the tenant, as far as they are known.
    """
    place = _place(error)
    said = f"{type(error).__name__}: {error}"[:300] + (f" ({place})" if place else "")
    metrics.UNPROCESSABLE.labels(source).inc()
    log.error(
        "%s: %s can't be worked on (%s). It is set aside with that reason, and the rest goes on. "
        "Please report it: this is a fault of ours.",
        source,
        what,
        said,
        exc_info=error,
        extra={IDS: ids},
    )
    return BadRecord(Reason.UNPROCESSABLE, said)


def _place(error: BaseException) -> str:
    """The last place of the traceback that is in our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
            return f"{path.relative_to(_ROOT).as_posix()}:{frame.lineno}, {frame.name}"
    return ""
