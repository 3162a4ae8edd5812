"""Quiet hours, found by looking at the user's wall clock minute by minute."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
SURELY_LATER = 22 * 60
LONGEST_MINUTES = 8 * 24 * 60
"""No schedule is followed for longer."""
Spans = tuple[tuple[str, str], ...]
"""Start and end by the wall clock, as HH:MM, every day."""


class QuietHours:
    """When one user wants no sound."""

    def __init__(self, preferences: Mapping[str, Any], zone: str) -> None:
        hours: Sequence[Mapping[str, str]] = preferences.get("quiet_hours", ())
        self._spans: Spans = tuple((span["start"], span["end"]) for span in hours)
        self._zone = zone

    def until(self, at: int) -> int | None:
        """When it is quiet no more (epoch ms), if it is at `at`; None if it is not."""
        if not self._spans:
            return None
        minutes = _quiet_minutes(self._zone, self._spans, at // MINUTE_MS)
        return (at // MINUTE_MS + minutes) * MINUTE_MS if minutes else None

    def between(self, start: int, end: int) -> Iterator[tuple[int, int | None]]:
        """The moments from `start` to `end` (epoch ms) from which an answer of `until` holds."""
        answer = self.until(start)
        yield start, answer
        if not self._spans:
            return
        for minute in range(start // MINUTE_MS + 1, end // MINUTE_MS + 1):
            later = self.until(minute * MINUTE_MS)
            if later != answer:
                answer = later
                yield minute * MINUTE_MS, answer


@lru_cache(maxsize=100_000)
def _quiet_minutes(zone: str, spans: Spans, minute: int) -> int:
    count = 0
    while count < LONGEST_MINUTES and _is_quiet(zone, spans, minute + count):
        count += 1
    return count


@lru_cache(maxsize=1_000_000)
def _is_quiet(zone: str, spans: Spans, minute: int) -> bool:
    clock = wall_clock(zone, minute)
    return any(_within(clock, start, end) for start, end in spans)


def wall_clock(zone: str, minute: int) -> str:
    """What the clock on the user's wall shows in this minute since 1970, as HH:MM."""
    moment = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone))
    return f"{moment:%H:%M}"


def weekday(zone: str, minute: int) -> str:
    """Which day of the week the user's calendar shows then: mon, tue and so on."""
    moment = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone))
    return f"{moment:%a}".lower()


def next_time(zone: str, times: Sequence[str], after: int, days: Sequence[str] = ()) -> int:
    """When the wall clock shows one of the times (HH:MM) next, after this moment (epoch ms).

    With `days`, on one of these days of the week.
    """
    return _next_minute(zone, tuple(times), tuple(days), after // MINUTE_MS + 1) * MINUTE_MS


@lru_cache(maxsize=10_000)
def _next_minute(zone: str, times: tuple[str, ...], days: tuple[str, ...], minute: int) -> int:
    while True:
        shows = wall_clock(zone, minute) in times
        if shows and (not days or weekday(zone, minute) in days):
            return minute
        # Wherever clocks change, a time of day does not come again sooner than that.
        minute += SURELY_LATER if shows and len(times) == 1 else 1


def _within(clock: str, start: str, end: str) -> bool:
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end
