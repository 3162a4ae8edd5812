"""Sliding rate windows in event time, so that a replay decides the same."""

from bisect import bisect_right
from typing import Annotated

from msgspec import Meta, Struct

LATENESS_MS = 86_400_000
"""How long past its window a time is kept for events that arrive late."""


class RateLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `count` notifications in any `seconds`, whichever moment they are counted from."""

    count: Annotated[int, Meta(ge=1, le=1000)]
    seconds: Annotated[int, Meta(ge=1, le=31 * 86_400)]


class Window(Struct, frozen=True, array_like=True, gc=False):
    """What was let through: event times (epoch ms, ascending) and the newest one forgotten.

    At most twice the limit's count is kept, which makes the count exact for every event up to
    one window late; `forgotten` is 0 while nothing was.
    """

    seconds: int
    times: tuple[int, ...]
    forgotten: int = 0

    def is_over(self, at: int) -> bool:
        """Whether no event from `at` (epoch ms) on can be affected by this window."""
        return self.times[-1] + self.seconds * 1000 + LATENESS_MS <= at


def admit(window: Window | None, limit: RateLimit, at: int) -> Window | None:
    """The window with `at` (epoch ms) counted, or None where that would break the limit.

    Whatever the order of arrival, no half-open span of `limit.seconds` ever holds more than
    `limit.count` admitted times. An event so late that forgotten times might share a span
    with it is refused, since it can't be shown to be within the limit.
    """
    if window is None:
        return Window(limit.seconds, (at,))
    times = window.times
    span = limit.seconds * 1000
    if window.forgotten and at - window.forgotten < span:
        return None
    if at >= times[-1]:
        if len(times) >= limit.count and at - times[-limit.count] < span:
            return None
        times = (*times, at)
    else:
        place = bisect_right(times, at)
        times = (*times[:place], at, *times[place:])
        if _is_crowded(times, place, limit.count, span):
            return None
    return _bounded(limit, times, window.forgotten)


def _is_crowded(times: tuple[int, ...], place: int, count: int, span: int) -> bool:
    """Whether one more than `count` times around the one at `place` lie within `span`."""
    first = max(0, place - count)
    last = min(place, len(times) - 1 - count)
    return any(times[start + count] - times[start] < span for start in range(first, last + 1))


def _bounded(limit: RateLimit, times: tuple[int, ...], forgotten: int) -> Window:
    surplus = max(0, len(times) - 2 * limit.count)
    horizon = times[-1] - limit.seconds * 1000 - LATENESS_MS
    if times[surplus] < horizon:
        surplus = bisect_right(times, horizon)
    if surplus:
        return Window(limit.seconds, times[surplus:], max(forgotten, times[surplus - 1]))
    return Window(limit.seconds, times, forgotten)


def store(windows: dict[str, Window], name: str, window: Window) -> dict[str, Window]:
    """A copy of `windows` with one set; a new name first clears out those that are over."""
    if name in windows or not windows:
        return {**windows, name: window}
    newest = window.times[-1]
    kept = {other: value for other, value in windows.items() if not value.is_over(newest)}
    kept[name] = window
    return kept
