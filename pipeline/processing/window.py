"""Slices of one topic that are worked on at the same time, and end in any order."""

from collections import deque

from pipeline.processing.slices import Slice


class Window:
    """The slices under way, in order: up to `most` records, of slices of up to `each`."""

    def __init__(self, most: int, each: int) -> None:
        self.most = most
        self._each = each
        self._under_way: deque[Slice] = deque()
        self._done: set[int] = set()

    @property
    def has_room(self) -> bool:
        """Whether another slice may begin."""
        records = sum(len(slice_.records) for slice_ in self._under_way)
        return records + self._each <= self.most

    @property
    def next(self) -> int | None:
        """Where the next slice must start; None where none is under way."""
        return self._under_way[-1].next if self._under_way else None

    def begin(self, slice_: Slice) -> None:
        """A slice is under way."""
        self._under_way.append(slice_)

    def end(self, slice_: Slice) -> list[Slice]:
        """A slice is done; those that have now ended with all before them, in order."""
        self._done.add(slice_.start)
        ended = []
        while self._under_way and self._under_way[0].start in self._done:
            self._done.remove(self._under_way[0].start)
            ended.append(self._under_way.popleft())
        return ended
