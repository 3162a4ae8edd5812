"""Sliding rate windows in event time, so that a replay decides the same."""

from bisect import bisect_right
from typing import Annotated

from msgspec import Meta, Struct

LATENESS_MS = 86_400_000
"""How long past its window a time is kept for events that arrive late."""
BUCKETS = 60
"""Into how many parts a tenant's span is cut."""


class RateLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `count` notifications in any `seconds`, whichever moment they are counted from."""

    count: Annotated[int, Meta(ge=1, le=1000)]
    seconds: Annotated[int, Meta(ge=1, le=31 * 86_400)]


class TenantLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `count` notifications in any `seconds` over all users of a tenant together."""

    count: Annotated[int, Meta(ge=1, le=10_000_000)]
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


def free_at(window: Window, limit: RateLimit, at: int) -> int:
    """The earliest moment from `at` on (epoch ms) at which `admit` would let one more through."""
    times, span = window.times, limit.seconds * 1000
    if window.forgotten:
        at = max(at, window.forgotten + span)
    # Each run of `count` times within a span keeps out what lies less than a span from both its
    # ends. Runs come in order, so that one look at each will do.
    for first, last in zip(times, times[limit.count - 1 :], strict=False):
        if last - first < span and last - span < at < first + span:
            at = first + span
    return at


def _is_crowded(times: tuple[int, ...], place: int, count: int, span: int) -> bool:
    """Whether one more than `count` times around the one at `place` lie within `span`."""
    first = max(0, place - count)
    last = min(place, len(times) - 1 - count)
    return any(times[start + count] - times[start] < span for start in range(first, last + 1))


def _bounded(limit: RateLimit, times: tuple[int, ...], forgotten: int) -> Window:
    seconds, most = limit.seconds, 2 * limit.count
    horizon = times[-1] - seconds * 1000 - LATENESS_MS
    if times[0] >= horizon and len(times) <= most:
        return Window(seconds, times, forgotten)
    surplus = max(0, len(times) - most)
    if times[surplus] < horizon:
        surplus = bisect_right(times, horizon)
    return Window(seconds, times[surplus:], max(forgotten, times[surplus - 1]))


def store(windows: dict[str, Window], name: str, window: Window) -> dict[str, Window]:
    """A copy of `windows` with one set; a new name first clears out those that are over."""
    if name in windows or not windows:
        return {**windows, name: window}
    newest = window.times[-1]
    kept = {other: value for other, value in windows.items() if not value.is_over(newest)}
    kept[name] = window
    return kept


class Tally(Struct, frozen=True, array_like=True, gc=False):
    """How many were let through in each bucket of time, the newest last.

    A bucket is a sixtieth of `seconds`; `newest` is the number of the last one, counted from
    1970. At most 121 are kept, which is two spans.
    """

    seconds: int
    newest: int
    counts: tuple[int, ...]


def share(limit: TenantLimit, partition: int, partitions: int) -> int:
    """How much of `limit.count` is this partition's: the shares of all add up to the count.

    Each keeps to its own, so together they are never over the limit; but a tenant whose users
    are spread unevenly reaches it in one partition while there is room left in another.
    """
    return limit.count // partitions + (partition < limit.count % partitions)


def count_in(tally: Tally | None, count: int, seconds: int, at: int) -> Tally | None:
    """The tally with `at` (epoch ms) counted, or None where that would break the limit.

    Whatever the order of arrival, no half-open span of `seconds` ever holds more than `count`
    admitted times. It may hold fewer, since buckets count whole: up to a sixtieth of the span
    too long. What is more than a span older than the newest is refused, as it can't be shown to
    be within the limit. When `seconds` has changed, counting starts again.
    """
    bucket = at // -(-seconds * 1000 // BUCKETS)
    if tally is None or tally.seconds != seconds:
        return Tally(seconds, bucket, (1,)) if count > 0 else None
    counts, ahead = tally.counts, bucket - tally.newest
    if ahead <= 0:
        return _count_among(tally, count, bucket)
    # A span that does not begin with a bucket touches one more than it is long.
    if sum(counts[ahead - BUCKETS - 1 :] if ahead <= BUCKETS else ()) >= count:
        return None
    if ahead > 2 * BUCKETS:
        return Tally(seconds, bucket, (1,))
    return Tally(seconds, bucket, (*counts, *(0,) * (ahead - 1), 1)[-2 * BUCKETS - 1 :])


def used_of(tally: Tally | None, seconds: int, at: int) -> int:
    """How many were let through in the span that ends at `at`, as far as buckets can tell."""
    if tally is None or tally.seconds != seconds:
        return 0
    last = at // -(-seconds * 1000 // BUCKETS)
    oldest = tally.newest - len(tally.counts) + 1
    numbered = enumerate(tally.counts, oldest)
    return sum(count for number, count in numbered if last - BUCKETS <= number <= last)


def _count_among(tally: Tally, count: int, bucket: int) -> Tally | None:
    """Count in the newest bucket, or in one at most a span before it."""
    counts = tally.counts
    place = len(counts) - 1 - (tally.newest - bucket)
    if bucket < tally.newest:
        if bucket < tally.newest - BUCKETS:
            return None
        counts = (0,) * (2 * BUCKETS + 1 - len(counts)) + counts
        place = 2 * BUCKETS - (tally.newest - bucket)
    starts = range(max(0, place - BUCKETS), max(0, len(counts) - BUCKETS - 1) + 1)
    if any(sum(counts[start : start + BUCKETS + 1]) >= count for start in starts):
        return None
    return Tally(
        tally.seconds, tally.newest, (*counts[:place], counts[place] + 1, *counts[place + 1 :])
    )
