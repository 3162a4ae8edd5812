"""Clocks on walls as zoneinfo tells them, and the moments at which they are set."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ZONES = (
    "UTC",
    "Africa/Casablanca",  # the clock is set back for Ramadan
    "America/Caracas",  # by half an hour, 2007 and 2016
    "America/Havana",  # at midnight forward, to midnight back
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",  # back from midnight, until 2018
    "America/St_Johns",  # at a minute past midnight, until 2011
    "Antarctica/Troll",  # by two hours
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",  # by half an hour
    "Europe/Berlin",
    "Europe/Dublin",  # winter time is the exception
    "America/New_York",
    "Pacific/Apia",  # without 2011-12-30
    "Pacific/Chatham",
    "Pacific/Kwajalein",  # without 1993-08-21
)


def epoch(text: str) -> int:
    """Epoch milliseconds of a moment as RFC 3339 writes it."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def wall(zone: str, at: int) -> datetime:
    """What the clock shows, without a zone."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@cache
def changes(zone: str) -> tuple[int, ...]:
    """Every moment from 1990 to 2037 at which the clock is set."""
    return tuple(_changes(zone))


def _changes(zone: str) -> Iterator[int]:
    day, end = epoch("1990-01-01T00:00Z"), epoch("2038-01-01T00:00Z")
    while day < end:
        low, high = day, day + DAY
        day = high
        if _ahead(zone, low) == _ahead(zone, high):
            continue
        before = _ahead(zone, low)
        while high - low > 1000:
            middle = (low + high) // 2000 * 1000
            if _ahead(zone, middle) == before:
                low = middle
            else:
                high = middle
        yield high


def _ahead(zone: str, at: int) -> timedelta:
    return wall(zone, at) - wall("UTC", at)


def _near_changes(zone: str) -> st.SearchStrategy[int]:
    near = st.integers(-3 * DAY, DAY)
    return st.builds(int.__add__, st.sampled_from(changes(zone)), near)


def _moments(zone: str) -> st.SearchStrategy[tuple[str, int]]:
    ever = st.integers(epoch("1990-01-01T00:00Z"), epoch("2037-01-01T00:00Z"))
    moments = st.one_of(_near_changes(zone), _near_changes(zone), ever) if changes(zone) else ever
    return st.tuples(st.just(zone), moments)


places_in_time = st.sampled_from(ZONES).flatmap(_moments)
"""A zone and a moment, more often than not within days of a change of the clock."""
