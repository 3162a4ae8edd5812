"""Which records of a topic are done beyond its frontier, where they end in any order.

They are stored with their outcomes, so that whoever reads from the frontier again does nothing
twice.
"""

from collections.abc import Iterable

from pipeline.processing.slices import Slice
from tables.storage.store import Store
from tables.storage.table import Table, key_of
from tables.storage.transaction import Transaction

Span = tuple[int, int]
"""Offsets from the first up to the second, without it."""
AHEAD: Table[list[Span]] = Table(b"a", list[tuple[int, int]])
"""By topic: the spans beyond its frontier that are done, in order."""


class Ahead:
    """What is done of one topic, in one partition, from the first slice of this process on."""

    def __init__(self, store: Store, topic: str) -> None:
        self._key = key_of(topic)
        (stored,) = store.get_many([AHEAD.prefix + self._key])
        self._spans = [] if stored is None else AHEAD.decode(stored)
        self.frontier: int | None = None
        """Up to which offset all is done; None before the first slice."""

    def begin(self, slice_: Slice) -> dict[int, Span]:
        """By offset of each record that is still to be done, the offsets that are done with it.

        That is up to the next record: there may be none in between.
        """
        if self.frontier is None:
            self.frontier = slice_.start
            self._spans = [span for span in self._spans if span[1] > slice_.start]
        offsets = [record.offset for record in slice_.records]
        starts, ends = [slice_.start, *offsets[1:]], [*offsets[1:], slice_.next]
        spans = zip(offsets, zip(starts, ends, strict=True), strict=True)
        return {offset: span for offset, span in spans if not self._is_done(offset)}

    def finish(self, spans: Iterable[Span], transaction: Transaction) -> int:
        """Count these as done, and have it stored with the frontier that this returns."""
        self._spans = _joined([*self._spans, *spans])
        frontier = self.frontier or 0
        if self._spans and self._spans[0][0] <= frontier:
            frontier = self._spans.pop(0)[1]
        self.frontier = frontier
        transaction.view(AHEAD).put(self._key, self._spans or None)
        return frontier

    def _is_done(self, offset: int) -> bool:
        return any(start <= offset < end for start, end in self._spans)


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
