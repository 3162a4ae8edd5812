"""Which records of other partitions were taken here, so that one that is moved again is known."""

from collections.abc import Iterable, Iterator
from typing import Any

from aiokafka import ConsumerRecord
from msgspec import Struct

from pipeline.processing.misplaced import MovedRecord, SourcedRecord
from tables.storage.table import Table, key_of
from tables.storage.transaction import Transaction


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """Up to where a source partition was taken, and the latest acceptance (epoch ms) until there.

    An offset that comes again is a repeat only if it isn't newer than that: a topic that was
    deleted and created anew begins at 0 again.
    """

    next: int
    at: int


MOVED = Table(b"M", Mark, kept=1000)
"""By topic and partition of the source, and by the name of the source that read it, if any did, or
by the way, where it came straight."""
_STRAIGHT = "straight"


def without_repeats(
    transaction: Transaction, records: Iterable[tuple[ConsumerRecord, Any]]
) -> Iterator[tuple[ConsumerRecord, Any]]:
    """Those records of a placed topic that were not taken before.

    Whoever moves them keeps the order of each source partition and leaves out nothing, also when
    it begins anew after a crash. So one offset for each source partition says which are repeats. Of
    two ways each has its own, as neither waits for the other.
    """
    marks = transaction.view(MOVED)
    for record, value in records:
        offset, is_sourced = record.offset, isinstance(record, SourcedRecord)
        if isinstance(record, SourcedRecord):
            origin, offset = record.origin, record.origin.offset
            # Since when it is read tells a topic that was made anew from the one before it.
            source = key_of(origin.topic, str(origin.partition), origin.source, str(origin.since))
        elif isinstance(record, MovedRecord) and record.is_direct:
            source = key_of(record.topic, str(record.partition), _STRAIGHT)
        else:
            source = key_of(record.topic, str(record.partition))
        mark = marks.get(source) or Mark(0, 0)
        if offset < mark.next and (is_sourced or record.timestamp <= mark.at):
            continue
        marks.put(source, Mark(offset + 1, max(mark.at, record.timestamp)))
        yield record, value
