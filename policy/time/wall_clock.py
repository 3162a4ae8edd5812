"""Local time: by IANA time zone, exact across every change of offset."""

from collections.abc import Iterable
from functools import lru_cache

from whenever import Date, Instant, Time, ZonedDateTime, available_timezones

from schemas.vocabulary import Weekday

EVERY_DAY = 0b111_1111
"""Bits of the days of a week, Monday the lowest."""
DAY = 24 * 60
"""Minutes of a day."""

_WEEKDAYS = list(Weekday)


def is_zone(name: str) -> bool:
    """Whether this is the name of an IANA zone, as IANA writes it."""
    return name in _zones()


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """The names of all zones that a person may live in, in order."""
    return ("UTC", *sorted(name for name in _zones() if "/" in name and "Etc/" not in name))


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    # Asked by name, a machine has zones that the next one lacks, such as `localtime`.
    return frozenset(available_timezones())


def minute_of_week(zone: str, at: int) -> int:
    """What the clock shows at `at` (epoch ms), in minutes since Monday began."""
    local = Instant.from_timestamp(at // 1000).to_tz(zone)
    day = local.date().day_of_week().value - 1
    return day * DAY + local.hour * 60 + local.minute


@lru_cache(maxsize=4096)
def date_of(zone: str, minute: int) -> int:
    """The date that the clock shows, as `date.toordinal` counts, in a minute since 1970."""
    local = Instant.from_timestamp(minute * 60).to_tz(zone)
    return local.date().to_stdlib().toordinal()


def next_change(zone: str, after: int) -> int | None:
    """The next moment at which the clock is set forward or back (epoch ms), if it ever is."""
    found = Instant.from_timestamp(after // 1000).to_tz(zone).next_transition()
    return None if found is None else _ms(found)


@lru_cache(maxsize=16_384)
def next_time(zone: str, times: tuple[int, ...], days: int, after: int) -> int:
    """The first moment after `after` (epoch ms) at which the clock shows one of the times.

    `times` are minutes of the day, at least one; `days` are the bits of weekdays, 0 for all. A
    time that the clock skips counts as the moment of the jump, be it an hour or a whole day that
    is skipped; of a time that it shows twice, only the first counts.
    """
    if not times:
        raise ValueError("no times of day")
    day = Instant.from_timestamp(after // 1000).to_tz(zone).date()
    while True:
        if not days or days >> (day.day_of_week().value - 1) & 1:
            later = [at for at in (_moment(zone, day, time) for time in times) if at > after]
            if later:
                return min(later)
        day = day.add(days=1)


def _moment(zone: str, day: Date, minute: int) -> int:
    wall = day.at(Time(minute // 60, minute % 60))
    shown = wall.assume_tz(zone, disambiguation="earlier")
    if shown.to_plain() != wall:  # skipped; `shown` is as long before the jump as it is skipped
        jump = shown.next_transition()
        assert jump is not None  # noqa: S101  something skipped it
        return _ms(jump)
    return _ms(shown)


def minutes_of(clock: str) -> int:
    """`HH:MM` as minutes of the day."""
    return int(clock[:2]) * 60 + int(clock[3:])


def bits_of(days: Iterable[Weekday]) -> int:
    """Weekdays as bits; none are all."""
    return sum(1 << _WEEKDAYS.index(day) for day in set(days)) or EVERY_DAY


def _ms(moment: ZonedDateTime) -> int:
    return moment.timestamp() * 1000
