"""What a worker has in hand: noted before any of it is told, so that a crash can't change it.

A slice that was cut short is read again, and a timer fires again. But decided again with what has
become known since, it might be told otherwise than it was already: a user turned to digests, say,
and hears of it twice. So before the outputs are sent, a note says what they are made from and at
what time; the next process begins with exactly that. The note goes in the write that stores what
came of it.
"""

from msgspec import Struct

from pipeline.slices import Slice, Span
from tables.store import Store
from tables.table import Table
from tables.timers import Horizon


class InHand(Struct, frozen=True, array_like=True):
    """Work that was decided at `now` (epoch ms): a slice, or what the clock set off.

    `start` to `end` of `topic` is the slice. Without a topic it is the timers up to a horizon, or
    without that too the next part of a fan-out.
    """

    now: int
    topic: str = ""
    start: int = 0
    end: int = 0
    timers: Horizon | None = None

    @property
    def span(self) -> Span | None:
        """The slice; None for what the clock set off."""
        return Span(self.topic, self.start, self.end) if self.topic else None

    def covers(self, slice_: Slice) -> bool:
        """Whether the slice is all or part of what this is."""
        topic = slice_.partition.topic
        return topic == self.topic and self.start <= slice_.start and slice_.next <= self.end


IN_HAND = Table(b"w", InHand)
"""One row at most."""
NOTE = IN_HAND.prefix


def in_hand_of(slice_: Slice, now: int) -> InHand:
    """A slice that is decided now."""
    return InHand(now, slice_.partition.topic, slice_.start, slice_.next)


def find_in_hand(store: Store) -> InHand | None:
    """What the last process left unfinished, if anything."""
    (value,) = store.get_many([NOTE])
    return None if value is None else IN_HAND.decode(value)
