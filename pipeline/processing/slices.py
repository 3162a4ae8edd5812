"""A slice: consecutive records of one partition that travel and finish together.

Stock Faust spends 60 µs or more on each record; a slice pays that once for a thousand.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from aiokafka import ConsumerRecord, TopicPartition

RECORDS = 1000
AT_A_STRETCH = 50
"""Records of a slice after which other partitions have their turn, and fetches. A thousand contacts
take 50 ms, and in an import each partition has one such slice after the other: a critical request
then waited for all of them at each of its steps."""
BYTES = 1 << 20
OVERHEAD = 400
"""Bytes that a record costs beside its key and value: one Python object with its fields."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Slice:
    """Records `start` to `next` (exclusive) of one partition.

    `start` is where the reader stood, not the first record's offset: offsets may be missing in
    between (compaction, transaction markers), slices may not. `epoch` counts the seeks of the
    partition; a slice of an earlier epoch was fetched before a seek and must not be handled.
    """

    partition: TopicPartition
    epoch: int
    start: int
    next: int
    records: Sequence[ConsumerRecord]
    size: int


def join_head(queue: deque[Slice], most: int, most_bytes: int = BYTES) -> Slice:
    """Take the first slice and those that follow it directly, up to the bounds of one slice."""
    taken = [queue.popleft()]
    records, size = len(taken[0].records), taken[0].size
    while queue and queue[0].start == taken[-1].next and queue[0].epoch == taken[0].epoch:
        records, size = records + len(queue[0].records), size + queue[0].size
        if records > most or size > most_bytes:
            break
        taken.append(queue.popleft())
    return _joined(taken)


def halves(slice_: Slice) -> tuple[Slice, Slice]:
    """A slice of two records or more as two slices."""
    return _split(slice_, slice_.records[len(slice_.records) // 2].offset)


def _joined(taken: Sequence[Slice]) -> Slice:
    if len(taken) == 1:
        return taken[0]
    last = taken[-1]
    return replace(
        last,
        start=taken[0].start,
        records=[record for slice_ in taken for record in slice_.records],
        size=sum(slice_.size for slice_ in taken),
    )


def _split(slice_: Slice, end: int) -> tuple[Slice, Slice]:
    before = [record for record in slice_.records if record.offset < end]
    after = slice_.records[len(before) :]
    # The bytes are freed as a whole, with the second half.
    return (
        replace(slice_, next=end, records=before, size=0),
        replace(slice_, start=end, records=after),
    )


def cut(
    partition: TopicPartition,
    epoch: int,
    start: int,
    records: Sequence[ConsumerRecord],
    most: int = RECORDS,
) -> Iterator[Slice]:
    """Cut what one fetch brought into slices of at most `most` records and about a mebibyte."""
    chunk: list[ConsumerRecord] = []
    size = 0
    for record in records:
        if record.offset < start:
            continue
        chunk.append(record)
        size += OVERHEAD + len(record.value or b"") + len(record.key or b"")
        if len(chunk) == most or size >= BYTES:
            yield Slice(partition, epoch, start, record.offset + 1, chunk, size)
            start, chunk, size = record.offset + 1, [], 0
    if chunk:
        yield Slice(partition, epoch, start, chunk[-1].offset + 1, chunk, size)


async def in_stretches(items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    """What a slice is made of, a stretch after the other; in between others have their turn."""
    for start in range(0, len(items), AT_A_STRETCH):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + AT_A_STRETCH]
