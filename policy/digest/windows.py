"""Windows of time in which events are gathered into one digest."""

from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from policy.catalogue.entry import DigestEntry
from policy.time.duration import milliseconds
from policy.time.wall_clock import DAY, EVERY_DAY, bits_of, minutes_of, next_time

LATENESS_MS = 5000
PAUSES = 24
"""How many pauses a session lasts at most where the catalogue does not say how long."""
LONGEST_MS = 31 * 86_400_000
"""No window of the catalogue is longer."""
IN_TIME_MS = 60_000
"""So long before one of its events is too old, a digest is over that nobody set an end for."""
_MINUTE_MS = 60_000
_WEEK = 7 * DAY
MONDAY = 1
"""The lowest bit of days."""


class DigestWindow(Struct, frozen=True, array_like=True):
    """One of three kinds; the first event's time opens it. Milliseconds.

    With `length` it lasts so long. With `pause` it lasts until so long nothing came, and
    `longest` at most. With `times`, minutes of the day, it lasts until the user's clock shows
    one of them on one of the `days` (bits, Monday the lowest). Events may come as much as
    `lateness` after the end and still belong to it.
    """

    lateness: int = LATENESS_MS
    length: int = 0
    pause: int = 0
    longest: int = 0
    times: tuple[int, ...] = ()
    days: int = EVERY_DAY

    @property
    def longest_ms(self) -> int:
        """How long it lasts at most, in ms, where no clock is set back or forward."""
        if not self.times:
            return self.length or self.longest
        bits = self.days or EVERY_DAY
        week = [day * DAY + time for day in range(7) if bits >> day & 1 for time in self.times]
        ends = sorted(week)
        following = [*ends[1:], ends[0] + _WEEK]
        return max(after - end for end, after in zip(ends, following, strict=True)) * _MINUTE_MS

    def end(self, times: Sequence[int], zone: str, latest: Sequence[int] = ()) -> int:
        """The end, exclusive, of the window that the first of these event times opens.

        `times` are epoch ms, ascending, and at least one; those before the end are in it. With
        `latest`, a moment for each of them, it is no later than those of what is in it.
        """
        end = self._end(times, zone)
        for time, moment in zip(times, latest, strict=False):
            if time >= end:
                break
            end = min(end, max(moment, time + 1))  # what opens a window is in it
        return end

    def _end(self, times: Sequence[int], zone: str) -> int:
        first = times[0]
        if self.length:
            return first + self.length
        if self.times:
            return next_time(zone, self.times, self.days, first)
        end, last = first + self.pause, first + self.longest
        for time in times:
            if time >= end:
                break
            end = min(time + self.pause, last)
        return end


HOURLY = DigestWindow(length=3_600_000)
"""For users who want a category hourly."""


@lru_cache(maxsize=1440)
def daily(minute: int) -> DigestWindow:
    """For users who want a category once a day, at this minute of it."""
    return DigestWindow(times=(minute,))


@lru_cache(maxsize=1440)
def weekly(minute: int) -> DigestWindow:
    """For users who want a category once a week, on Mondays at this minute of the day."""
    return DigestWindow(times=(minute,), days=MONDAY)


def fixed(length: int) -> DigestWindow:
    """A window of so many milliseconds."""
    return DigestWindow(length=length)


def compiled(entry: DigestEntry, room: int = LONGEST_MS) -> DigestWindow:
    """The window that an entry of the catalogue describes.

    A session without `longest` lasts `PAUSES` pauses at most, and no longer than `room` (ms), but
    for one pause. Raises ValueError with two arguments, the field and the
    complaint, where fields contradict each other.
    """
    found = _contradiction(entry)
    if found:
        raise ValueError(*found)
    pause = milliseconds(entry.pause or 0)
    return DigestWindow(
        lateness=milliseconds(entry.lateness),
        length=milliseconds(entry.every or 0),
        pause=pause,
        longest=milliseconds(entry.longest or 0)
        or max(pause, min(PAUSES * pause, room, LONGEST_MS)),
        times=tuple(sorted({minutes_of(time) for time in entry.at})),
        days=bits_of(entry.days),
    )


def _contradiction(entry: DigestEntry) -> tuple[str, str] | None:
    """The first field that contradicts the others, and how; None when all agree."""
    if (entry.every is not None) + (entry.pause is not None) + bool(entry.at) != 1:
        return "every", "is needed, or pause, or at; and only one of them, to say when it is over"
    for field in ("every", "pause", "longest"):
        span = getattr(entry, field)
        if span is not None and not 0 < milliseconds(span) <= LONGEST_MS:
            return field, "is not between a second and 31 days"
    if milliseconds(entry.lateness) > LONGEST_MS:
        return "lateness", "is longer than 31 days"
    if entry.days and not entry.at:
        return "days", "needs at, which says when on those days"
    if entry.longest is None:
        return None
    if entry.pause is None:
        return "longest", "needs pause, which is what makes a window longer"
    if milliseconds(entry.longest) < milliseconds(entry.pause):
        return "longest", "is shorter than pause"
    return None
