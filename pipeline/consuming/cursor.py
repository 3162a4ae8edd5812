"""The reader's position in one partition, and what it has handed on that isn't finished."""

from dataclasses import dataclass, field

from pipeline.consuming.received import NOTHING, Answer, Received
from pipeline.processing.slices import Slice


@dataclass(slots=True)
class Cursor:
    """The reading side of a partition, from the frontier it was opened at.

    `position` is the next offset to hand on, `accepted` the end of what reached a lane. The two
    differ while a slice is on its way through Faust, and for good if Faust dropped it there. What
    was fetched and not handed on yet ends at `taken_to`.
    `received` is shared by the topics of a partition number; `answer` is what `end` is known from.
    `end` is where the last record ends that may be read: of open transactions none may, and what is
    no record, such as their markers, does not count.
    """

    position: int
    epoch: int = 0
    seek_pending: bool = True
    accepted: int = 0
    taken_to: int = 0
    in_flight: int = 0
    stuck_at: int | None = None
    end: int | None = None
    answer: Answer = NOTHING
    received: Received = field(default_factory=Received)

    def __post_init__(self) -> None:
        self.accepted = self.position

    def seek(self, offset: int) -> None:
        """Fetch from `offset` again; whatever was fetched before counts no more."""
        self.position = self.accepted = self.taken_to = offset
        self.epoch += 1
        self.seek_pending = True
        self.in_flight = 0
        self.stuck_at = None

    def is_at_end(self, frontier: int) -> bool:
        """Whether all that was in the log a moment ago is done, when it is done to `frontier`."""
        if self.end is None or self.seek_pending:
            return False
        return frontier == self.position >= self.end

    def hand_on(self, slice_: Slice) -> None:
        """A slice leaves for its lane."""
        self.position = slice_.next
        self.in_flight += slice_.size

    def accept(self, slice_: Slice) -> bool:
        """A slice reached its lane; False if one before it was dropped on the way."""
        if slice_.start != self.accepted:
            return False
        self.accepted = slice_.next
        return True

    def finish(self, slice_: Slice) -> None:
        """A slice is done with and frees its bytes."""
        if slice_.epoch == self.epoch:
            self.in_flight -= slice_.size

    def is_stuck(self) -> bool:
        """True when the same slice was missing at the last look too: it will never come."""
        missing = self.accepted if self.accepted != self.position else None
        stuck = missing is not None and missing == self.stuck_at
        self.stuck_at = missing
        return stuck
