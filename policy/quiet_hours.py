"""Quiet hours: a weekly schedule by the user's local time, and snoozes."""

from collections.abc import Callable
from functools import lru_cache, partial

from msgspec import Struct

from policy.time.timestamps import text
from policy.time.wall_clock import DAY, is_zone, minute_of_week, next_change
from policy.user.profile import Profile, QuietSpan
from policy.user.tenant import Tenant

LONGEST_MS = 8 * 86_400_000
"""A schedule without a gap ends here all the same: nothing is deferred without end."""

_WEEK = 7 * DAY
_MINUTE_MS = 60_000


class Quiet(Struct, frozen=True):
    """It is quiet `until` then (epoch ms), and why."""

    until: int
    detail: str


def quiet(profile: Profile, tenant: Tenant, now: int) -> Quiet | None:
    """Whether it is quiet for a user at `now` (epoch ms), and until when; None when it is not.

    A snooze that ends within quiet hours ends with them. Without quiet hours of
    the user's own, the tenant's count. An unknown zone counts as the tenant's, and the detail
    says so.
    """
    spans = profile.quiet_hours or tenant.quiet_hours
    snoozed_until = profile.snoozed_until
    if not spans and snoozed_until <= now:
        return None
    if spans:
        zone = zone_of(profile, tenant)
        until = quiet_until(zone, spans, max(now, snoozed_until))
        if until is not None:
            unknown = profile.zone not in ("", zone)
            doubt = f", as {profile.zone!r} is no known zone" if unknown else ""
            return Quiet(until, f"quiet hours until {text(until)} ({zone}{doubt})")
    if snoozed_until > now:
        return Quiet(snoozed_until, f"snoozed until {text(snoozed_until)}")
    return None


def zone_of(profile: Profile, tenant: Tenant) -> str:
    """The user's zone, or the tenant's where it is not set or not known."""
    return profile.zone if profile.zone and is_zone(profile.zone) else tenant.zone


def quiet_until(zone: str, spans: tuple[QuietSpan, ...], now: int) -> int | None:
    """When (epoch ms) it is quiet no more, if it is at `now`; None if it is not.

    Spans that touch or overlap are one. Only what the wall clock shows counts: a span within an
    hour that is shown twice is quiet twice, and one whose end is skipped ends with the jump.
    """
    return _quiet_until(zone, spans, now // _MINUTE_MS)


@lru_cache(maxsize=16_384)
def _quiet_until(zone: str, spans: tuple[QuietSpan, ...], minute: int) -> int | None:
    at = _passed(zone, minute, partial(_minutes_left, _weekly(spans)), LONGEST_MS)
    return None if at is None else min(at, minute * _MINUTE_MS + LONGEST_MS)


def opens_at(zone: str, spans: tuple[QuietSpan, ...], now: int) -> int | None:
    """When (epoch ms) the clock is within one of the spans next; None if it is at `now`.

    One that the clock skips altogether is not there that week.
    """
    return _opens_at(zone, spans, now // _MINUTE_MS)


@lru_cache(maxsize=16_384)
def _opens_at(zone: str, spans: tuple[QuietSpan, ...], minute: int) -> int | None:
    return _passed(zone, minute, partial(_minutes_to, _weekly(spans)), LONGEST_MS * 2)


def silent_since(
    zone: str, quiet_spans: tuple[QuietSpan, ...], within: tuple[QuietSpan, ...], now: int
) -> int | None:
    """Since when (epoch ms) it is quiet, or in none of `within`, without a break; None if it is
    neither at `now`.

    Nothing in `within` is always. A stretch of more than `LONGEST_MS` may have begun earlier.
    """
    return _silent_since(zone, quiet_spans, within, now // _MINUTE_MS)


@lru_cache(maxsize=16_384)
def _silent_since(
    zone: str, quiet_spans: tuple[QuietSpan, ...], within: tuple[QuietSpan, ...], minute: int
) -> int | None:
    passed = [partial(_minutes_passed, _weekly(quiet_spans))]
    if within:
        passed.append(partial(_minutes_out, _weekly(within)))
    began, at = None, minute * _MINUTE_MS
    while at > minute * _MINUTE_MS - LONGEST_MS:
        found = [since for each in passed if (since := _since(zone, at, each)) is not None]
        if not found:
            break
        began = min(found)
        at = began - _MINUTE_MS
    return began


def _since(zone: str, at: int, passed_at: Callable[[int], int | None]) -> int | None:
    """The beginning of what the clock is in at `at` (epoch ms); None if it is not.

    `passed_at` says how many minutes of it have passed, at a minute of the week.
    """
    passed, most = passed_at(minute_of_week(zone, at)), at - LONGEST_MS
    if passed is None:
        return None
    while at > most:
        begin = at - passed * _MINUTE_MS
        change = _last_change(zone, begin, at)
        if change is None:
            return begin
        # Up to a change the clock showed something else, so look again.
        passed = passed_at(minute_of_week(zone, change - _MINUTE_MS))
        if passed is None:
            return change
        at = change - _MINUTE_MS
    return at


def _last_change(zone: str, after: int, until: int) -> int | None:
    found, change = None, next_change(zone, after)
    while change is not None and change <= until:
        found, change = change, next_change(zone, change)
    return found


def longest_closed(spans: tuple[QuietSpan, ...]) -> int:
    """How long (ms) a clock that is never set is outside of all spans, at most; 0 without any."""
    week = _weekly(spans)
    following = (*(begin for begin, _ in week[1:]), *(begin + _WEEK for begin, _ in week[:1]))
    gaps = (begin - end for (_, end), begin in zip(week, following, strict=True))
    return max(0, *gaps, 0) * _MINUTE_MS


def _passed(zone: str, minute: int, left_at: Callable[[int], int], most: int) -> int | None:
    """When (epoch ms) no minutes are left by the clock; None if none are.

    `left_at` says how many are, at a minute of the week. Given up where that goes on for `most` ms.
    """
    start = at = minute * _MINUTE_MS
    while at < start + most and (left := left_at(minute_of_week(zone, at))):
        end, change = at + left * _MINUTE_MS, next_change(zone, at)
        # From a change on the clock shows something else, so look again.
        at = end if change is None or end < change else change
    return None if at == start else at


@lru_cache(maxsize=4096)
def _weekly(spans: tuple[QuietSpan, ...]) -> tuple[tuple[int, int], ...]:
    """The spans as minutes of a week, joined where they touch; its end joins the next one."""
    found = []
    for days, start, end in spans:
        length = (end - start) % DAY
        for day in range(7):
            if length and days >> day & 1:
                # Weeks before and after, so that a span may come from one or go on in the other.
                begins = (day * DAY + start + week * _WEEK for week in (-1, 0, 1, 2))
                found += [(begin, begin + length) for begin in begins]
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(span for span in joined if span[0] < _WEEK and span[1] > 0)


def _minutes_left(week: tuple[tuple[int, int], ...], minute: int) -> int:
    return next((end - minute for begin, end in week if begin <= minute < end), 0)


def _minutes_to(week: tuple[tuple[int, int], ...], minute: int) -> int:
    """Until the next of these spans begins; 0 within one."""
    if _minutes_left(week, minute):
        return 0
    following = (begin - minute for begin, _ in week if begin > minute)
    return next(following, week[0][0] % _WEEK + _WEEK - minute)


def _minutes_passed(week: tuple[tuple[int, int], ...], minute: int) -> int | None:
    """Since the span began in which this is; None outside."""
    return next((minute - begin for begin, end in week if begin <= minute < end), None)


def _minutes_out(week: tuple[tuple[int, int], ...], minute: int) -> int | None:
    """Since the last of these spans ended; None within one."""
    if _minutes_left(week, minute):
        return None
    before = (minute - end for _, end in reversed(week) if end <= minute)
    return next(before, minute + _WEEK - week[-1][1])
