"""Deduplication marks: which events a user was already decided on, and from where.

A user's marks are one run of bytes, an entry of fixed length each, the first written in front.
Every decision copies, stores and drops the marks of its user, and looks into hardly any of them.
What the run has no room for is spilled: kept elsewhere until its window ends, see
`tables.spilled_marks`.
"""

from binascii import unhexlify
from collections.abc import Iterator
from struct import Struct as Layout

from msgspec import Struct

from schemas.request import Origin

HOUR_MS = 3_600_000
MARKS_KEPT = 512
"""Marks in one run; past it the first written are spilled where their window has not ended."""
LATE_MS = HOUR_MS
"""From when on an event is late: others, which happened after it, drop its mark too early."""
NO_MARKS = b""
_ENTRY = Layout(">8sqqiH16s")  # key, time, offset, partition, hours, body
_AGE = Layout(">8xq12xH16x")  # time and hours
_SIZE = _ENTRY.size
_ROOM = (MARKS_KEPT - 1) * _SIZE


class Mark(Struct, frozen=True, gc=False):
    """One event was decided on: where it stood in `events`, its time (epoch ms), its window.

    A mark is stored after the broker acknowledged all outputs, so it proves that they are out.
    `body` is the digest of what the event said, 16 characters at most.
    """

    partition: int
    offset: int
    at: int
    hours: int
    body: str = ""

    def is_from(self, origin: Origin) -> bool:
        """Whether the very record at `origin` left this mark."""
        return self.offset == origin.offset and self.partition == origin.partition

    def covers(self, at: int) -> bool:
        """Whether an event at `at` (epoch ms) is within the window, before or after the mark."""
        return abs(at - self.at) < self.hours * HOUR_MS


def mark_key(notification_id: str) -> bytes:
    """The 8 bytes a mark is kept under: among 512 marks, a chance of 3e-17 to meet another's."""
    return unhexlify(notification_id[:16])


def mark_of(marks: bytes, key: bytes) -> Mark | None:
    """The mark under a key, None where there is none."""
    place = _place(marks, key)
    return None if place < 0 else _read(marks, place)[1]


def all_marks(marks: bytes) -> Iterator[tuple[bytes, Mark]]:
    """Every mark with its key, the first written first."""
    return (_read(marks, place) for place in range(0, len(marks), _SIZE))


def remember(marks: bytes, key: bytes, mark: Mark, *, is_new: bool = False) -> bytes:
    """`marks` with one more, without those whose window ended before `mark.at`.

    It replaces what the key has, unless `is_new` says that it is known to have none. Marks are
    dropped from the first written on, so one that arrived late may outlive its window; there are
    never more than `MARKS_KEPT`. What goes too early by that, `spilled_by` says.
    """
    place = -1 if is_new else _place(marks, key)
    if place >= 0:
        marks = marks[:place] + marks[place + _SIZE :]
    start = len(marks) - _ROOM
    if start < 0:
        start = 0
    while start < len(marks):
        at, hours = _AGE.unpack_from(marks, start)
        if mark.at - at < hours * HOUR_MS:
            break
        start += _SIZE
    body = mark.body.encode()
    entry = _ENTRY.pack(key, mark.at, mark.offset, mark.partition, mark.hours, body)
    return marks[start:] + entry


Spilled = tuple[int, bytes]
"""A mark's entry, and until when (epoch ms) it is to be kept."""


def spilled_by(
    marks: bytes, key: bytes, mark: Mark, accepted_at: int, *, is_late: bool
) -> tuple[Spilled, ...]:
    """What `remember` of the same mark, of an event accepted then (epoch ms), drops too early.

    That is what there is no room for, and what is late itself: it would go with the next event.
    """
    place = _place(marks, key)
    if place >= 0:
        marks = marks[:place] + marks[place + _SIZE :]
    found = []
    for start in range(0, len(marks) - _ROOM, _SIZE):
        at, hours = _AGE.unpack_from(marks, start)
        if mark.at - at < hours * HOUR_MS:
            # It was accepted later than it happened, if not by much.
            found.append((at + hours * HOUR_MS + LATE_MS, marks[start : start + _SIZE]))
    if is_late:
        found.append((accepted_at + mark.hours * HOUR_MS, remember(NO_MARKS, key, mark)))
    return tuple(found)


def happened_at(entry: bytes) -> int:
    """The time (epoch ms) of the event that left the mark of an entry."""
    return int(_AGE.unpack_from(entry)[0])


def _place(marks: bytes, key: bytes) -> int:
    """Where the entry of a key begins, -1 where there is none."""
    place = marks.find(key)
    # The same bytes may stand elsewhere in an entry.
    while place > 0 and place % _SIZE:
        place = marks.find(key, place + 1)
    return place


def _read(marks: bytes, place: int) -> tuple[bytes, Mark]:
    key, at, offset, partition, hours, body = _ENTRY.unpack_from(marks, place)
    return key, Mark(partition, offset, at, hours, body.rstrip(b"\0").decode())
