"""What is queued for one partition, and is sent in as few batches as it fits into."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

RECORD_OVERHEAD = 32

Entry = tuple[bytes | None, bytes | None]
"""A record's key and value."""
Place = tuple[str, int]
"""A topic and a partition."""
Check = Callable[[], None]
"""Raises what keeps a write from being sent, asked right before it is."""


class Fillable(Protocol):
    """As much of a `pipeline.producing.batch.Batch` as is needed here."""

    def extend(self, entries: Iterable[Entry]) -> int:
        """Append records while they fit; how many of them did."""
        ...

    def record_count(self) -> int:
        """How many records it has."""
        ...

    def size(self) -> int:
        """Bytes that it has."""
        ...


@dataclass(slots=True, eq=False)
class Submission:
    """What one caller writes: its `end` is to be the offset after it, once it is acknowledged."""

    entries: list[Entry]
    end: "asyncio.Future[int]"
    check: Check
    taken: int = 0
    giving_up: asyncio.TimerHandle | None = None
    """Runs on when the caller is cancelled, as the write isn't."""
    size: int = field(init=False)
    """Bytes that the entries take in a batch, about."""

    def __post_init__(self) -> None:
        self.size = size_of(self.entries)

    def succeed(self, end: int) -> None:
        """Tell the caller, if anybody waits."""
        self._settle()
        if not self.end.done():
            self.end.set_result(end)

    def fail(self, error: BaseException) -> None:
        """Tell the caller, if anybody waits."""
        self._settle()
        if not self.end.done():
            self.end.set_exception(error)

    def withdraw(self) -> None:
        """Tell nobody anything."""
        self._settle()
        self.end.cancel()

    def _settle(self) -> None:
        if self.giving_up is not None:
            self.giving_up.cancel()

    def may_leave(self) -> bool:
        """Ask whether it may; if not, the caller is told why."""
        try:
            self.check()
        except Exception as error:
            self.fail(error)
            return False
        return True


Taken = list[tuple[Submission, int]]
"""Whose last records a batch has, and after how many of its records they end."""


class WriteQueue:
    """The submissions of a partition that no batch has whole yet, in their order."""

    def __init__(self) -> None:
        self._waiting = deque[Submission]()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, submission: Submission) -> None:
        """Add what is written after all that is here."""
        self._waiting.append(submission)

    def size(self) -> int:
        """Bytes that wait, about, or more than that."""
        return sum(each.size for each in self._waiting)

    def drop(self, submission: Submission) -> None:
        """Send it no more, if none of it is in a batch yet."""
        if not submission.taken and submission in self._waiting:
            self._waiting.remove(submission)

    def fill(self, batch: Fillable, most_bytes: int) -> Taken:
        """Put into an empty batch what fits and may leave.

        A submission that fits into a batch is never split, so that it is written whole or not at
        all; one that doesn't goes on in the next batch. What can't be put into a batch is raised,
        and fails with all that was to share it.
        """
        taken: Taken = []
        try:
            while self._waiting and self._take_first(batch, most_bytes):
                taken.append((self._waiting.popleft(), batch.record_count()))
        except Exception as error:
            for submission in (*(each for each, _ in taken), self._waiting.popleft()):
                submission.fail(error)
            raise
        return taken

    def _take_first(self, batch: Fillable, most_bytes: int) -> bool:
        """Take from the first one that may leave; whether the batch has the end of it."""
        while not self._waiting[0].taken and not self._waiting[0].may_leave():
            self._waiting.popleft()
            if not self._waiting:
                return False
        first = self._waiting[0]
        if batch.record_count() and batch.size() + first.size > most_bytes:
            return False
        first.taken += batch.extend(islice(first.entries, first.taken, None))
        return first.taken == len(first.entries)

    def fail(self, error: BaseException, *, begun_only: bool = False) -> None:
        """Give up all that waits, or only what a batch has a part of, as that is not written."""
        while self._waiting and (self._waiting[0].taken or not begun_only):
            self._waiting.popleft().fail(error)


def size_of(entries: Iterable[Entry]) -> int:
    """Bytes that these take in a batch, about."""
    return sum(len(key or b"") + len(value or b"") + RECORD_OVERHEAD for key, value in entries)
