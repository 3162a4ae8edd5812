"""Which records of other partitions were taken here, so that one that is moved again is known."""

from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka import ConsumerRecord
from msgspec import Struct

from tables.table import Table, key_of
from tables.turn import Turn


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """Up to where a source partition was taken, and the latest acceptance (epoch ms) until there.

    An offset that comes again is a repeat only if it isn't newer than that: a topic that was
    deleted and made anew begins at 0 again.
    """

    next: int
    at: int


MOVED = Table(b"M", Mark, kept=1000)
"""By topic and partition of the source."""


def without_repeats(
    turn: Turn, records: Iterable[tuple[ConsumerRecord, Any]]
) -> Iterator[tuple[ConsumerRecord, Any]]:
    """Those records of a placed topic that were not taken before.

    Whoever moves them keeps the order of each source partition and leaves out nothing, also when
    it begins anew after a crash. So one offset for each source partition says which are repeats.
    """
    marks = turn.view(MOVED)
    for record, value in records:
        source = key_of(record.topic, str(record.partition))
        mark = marks.get(source) or Mark(0, 0)
        if record.offset < mark.next and record.timestamp <= mark.at:
            continue
        marks.put(source, Mark(record.offset + 1, max(mark.at, record.timestamp)))
        yield record, value
