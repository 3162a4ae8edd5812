"""Quiet hours by the clock on the user's wall."""

from functools import lru_cache

from whenever import Instant, TimeZoneNotFoundError


@lru_cache(maxsize=16_384)
def wall_clock(zone: str, minute: int) -> str | None:
    """`HH:MM` in an IANA zone at `minute` (minutes since the epoch); None for an unknown zone.

    Zones change their offset on whole minutes, so that a minute has one answer: exact across
    daylight saving changes, half-hour and quarter-hour offsets.
    """
    try:
        local = Instant.from_timestamp(minute * 60).to_tz(zone)
    except (TimeZoneNotFoundError, ValueError):
        return None
    return f"{local.hour:02}:{local.minute:02}"


def is_within(clock: str, start: str, end: str) -> bool:
    """Whether `clock` is in `[start, end)`, all `HH:MM`; may cross midnight; equal ends: never."""
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def quiet(zone: str, start: str, end: str, now: int) -> str | None:
    """Why it is quiet at `now` (epoch ms), or None when it is not.

    An unknown zone counts as UTC, and the answer says so.
    """
    minute = now // 60_000
    clock = wall_clock(zone, minute)
    if clock is None:
        clock = wall_clock("UTC", minute) or ""
        zone = f"UTC, for {zone!r} is not a known zone"
    if is_within(clock, start, end):
        return f"{clock} is within {start}-{end} ({zone})"
    return None
