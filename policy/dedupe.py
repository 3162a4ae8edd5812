"""Deduplication marks: which events a user was already decided on, and from where."""

from msgspec import Struct

from schemas.request import Origin

HOUR_MS = 3_600_000
MARKS_KEPT = 512
"""Marks of one user; past it the first written go, however young: state must stay bounded."""


class Mark(Struct, frozen=True, array_like=True, gc=False):
    """One event was decided on: where it stood in `events`, its time (epoch ms), its window.

    A mark is stored after the broker acknowledged all outputs, so it proves that they are out.
    `body` is the digest of what the event said.
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
    return bytes.fromhex(notification_id[:16])


def remember(marks: dict[bytes, Mark], key: bytes, mark: Mark) -> dict[bytes, Mark]:
    """A copy of `marks` with one more, without those whose window ended before `mark.at`.

    Marks are dropped from the first written on, so one that arrived late may outlive its
    window; there are never more than `MARKS_KEPT`.
    """
    kept = marks.copy()
    kept.pop(key, None)
    for old_key, old in marks.items():
        if len(kept) < MARKS_KEPT and mark.at - old.at < old.hours * HOUR_MS:
            break
        kept.pop(old_key, None)
    kept[key] = mark
    return kept
