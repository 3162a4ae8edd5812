from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.time.wall_clock import (
    EVERY_DAY,
    bits_of,
    is_zone,
    minute_of_week,
    minutes_of,
    next_change,
    next_time,
)
from schemas.vocabulary import Weekday
from tests.policy.clocks import DAY, MINUTE, ZONES, changes, epoch, places_in_time, wall

times = st.lists(st.integers(0, 1439), min_size=1, max_size=4).map(tuple)
weekdays = st.sampled_from([0, EVERY_DAY, 0b001_1111, 0b110_0000, 0b000_0100])


def shows(clock: datetime, times: tuple[int, ...], days: int) -> bool:
    is_day = not days or days >> clock.weekday() & 1
    return bool(is_day) and clock.hour * 60 + clock.minute in times


def brute_force(zone: str, times: tuple[int, ...], days: int, after: int) -> int:
    """Watch the clock minute by minute; what it shows for the first time, or jumps over, counts."""
    at = after // MINUTE * MINUTE - 3 * DAY
    farthest = wall(zone, at)
    while True:
        at += MINUTE
        clock = wall(zone, at)
        while farthest < clock:
            farthest += timedelta(minutes=1)
            if at > after and shows(farthest, times, days):
                return at


@settings(max_examples=60, deadline=None)
@given(places_in_time, times, weekdays)
def test_the_next_time_is_the_first_that_a_watcher_sees(
    place: tuple[str, int], times: tuple[int, ...], days: int
) -> None:
    zone, after = place
    assert next_time(zone, times, days, after) == brute_force(zone, times, days, after)


@given(places_in_time, times, weekdays)
def test_times_follow_each_other(place: tuple[str, int], times: tuple[int, ...], days: int) -> None:
    zone, after = place
    first = next_time(zone, times, days, after)
    assert after < first <= after + 8 * DAY + 3 * 3_600_000
    assert next_time(zone, times, days, first - 1) == first
    assert next_time(zone, times, days, first) > first


FRIDAY = 0b001_0000


@pytest.mark.parametrize(
    ("zone", "clock", "days", "after", "expected"),
    [
        # A time that it is now comes again tomorrow.
        ("UTC", "09:00", 0, "2026-03-01T08:59:59.999Z", "2026-03-01T09:00Z"),
        ("UTC", "09:00", 0, "2026-03-01T09:00Z", "2026-03-02T09:00Z"),
        ("UTC", "00:00", 0, "2026-12-31T23:59:59Z", "2027-01-01T00:00Z"),
        ("UTC", "09:00", 0, "2028-02-28T09:00Z", "2028-02-29T09:00Z"),
        ("UTC", "09:00", 0, "2100-02-28T09:00Z", "2100-03-01T09:00Z"),
        ("Asia/Kathmandu", "00:15", 0, "2026-05-01T12:00Z", "2026-05-01T18:30Z"),
        ("UTC", "09:00", FRIDAY, "2026-03-06T09:00Z", "2026-03-13T09:00Z"),
        # Berlin: 01:59 is followed by 03:00 on 29 March, 02:59 by 02:00 on 25 October.
        ("Europe/Berlin", "02:30", 0, "2026-03-28T12:00Z", "2026-03-29T01:00Z"),
        ("Europe/Berlin", "02:30", 0, "2026-10-24T12:00Z", "2026-10-25T00:30Z"),
        ("Europe/Berlin", "02:30", 0, "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
        ("Europe/Dublin", "01:30", 0, "2026-03-28T12:00Z", "2026-03-29T01:00Z"),
        ("Europe/Dublin", "01:30", 0, "2026-10-24T12:00Z", "2026-10-25T00:30Z"),
        # Havana: 23:59 is followed by 01:00 on 8 March, 00:59 by 00:00 on 1 November.
        ("America/Havana", "00:30", 0, "2026-03-07T12:00Z", "2026-03-08T05:00Z"),
        ("America/Havana", "00:30", 0, "2026-10-31T12:00Z", "2026-11-01T04:30Z"),
        # Beirut and Sao Paulo: midnight is where it is set, the evening comes twice.
        ("Asia/Beirut", "00:00", 0, "2026-03-28T12:00Z", "2026-03-28T22:00Z"),
        ("Asia/Beirut", "23:30", 0, "2026-10-24T12:00Z", "2026-10-24T20:30Z"),
        ("Asia/Beirut", "00:00", 0, "2026-10-24T12:00Z", "2026-10-24T22:00Z"),
        ("America/Sao_Paulo", "00:30", 0, "2018-11-03T12:00Z", "2018-11-04T03:00Z"),
        ("America/Sao_Paulo", "23:30", 0, "2018-02-17T12:00Z", "2018-02-18T01:30Z"),
        # Lord Howe: half an hour, from 02:00 to 02:30 and from 02:00 back to 01:30.
        ("Australia/Lord_Howe", "02:15", 0, "2026-10-03T12:00Z", "2026-10-03T15:30Z"),
        ("Australia/Lord_Howe", "01:45", 0, "2026-04-04T12:00Z", "2026-04-04T14:45Z"),
        # Apia: Thursday 29 December 2011 is followed by Saturday the 31st.
        ("Pacific/Apia", "09:00", 0, "2011-12-29T20:00Z", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "09:00", 0, "2011-12-30T10:00Z", "2011-12-30T19:00Z"),
        ("Pacific/Apia", "09:00", FRIDAY, "2011-12-29T20:00Z", "2011-12-30T10:00Z"),
    ],
)
def test_times_of_day(zone: str, clock: str, days: int, after: str, expected: str) -> None:
    found = next_time(zone, (minutes_of(clock),), days, epoch(after))
    assert found == epoch(expected)


def test_the_earliest_of_several_times_is_next_in_whatever_order() -> None:
    after = epoch("2026-03-01T12:00Z")
    assert next_time("UTC", (18 * 60, 9 * 60), 0, after) == epoch("2026-03-01T18:00Z")
    with pytest.raises(ValueError, match="no times"):
        next_time("UTC", (), 0, after)


@given(places_in_time)
def test_the_minute_of_the_week_is_what_the_clock_shows(place: tuple[str, int]) -> None:
    zone, at = place
    clock = wall(zone, at)
    expected = (clock.weekday() * 24 + clock.hour) * 60 + clock.minute
    assert minute_of_week(zone, at) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_the_clock_is_found(zone: str) -> None:
    at, end = epoch("1990-01-01T00:00Z"), epoch("2038-01-01T00:00Z")
    found = []
    while (change := next_change(zone, at)) is not None and change < end:
        assert change > at
        if wall(zone, change - 1000) + timedelta(seconds=1) != wall(zone, change):
            found.append(change)
        at = change
    assert found == list(changes(zone))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Europe/Berlin", True),
        ("UTC", True),
        ("Etc/GMT+5", True),
        ("Mars/Base", False),
        ("", False),
        ("Europe", False),
        ("UTC+3", False),
        ("localtime", False),  # another one on every machine
        ("../../etc/passwd", False),
        ("a\0b", False),
        ("\N{SNOWMAN}", False),
    ],
)
def test_names_of_zones(name: str, known: bool) -> None:
    assert is_zone(name) is known


@pytest.mark.parametrize(
    ("days", "bits"),
    [
        ((), EVERY_DAY),
        (Weekday, EVERY_DAY),
        ((Weekday.MON,), 0b1),
        ((Weekday.SUN, Weekday.SAT, Weekday.SUN), 0b110_0000),
    ],
)
def test_weekdays_are_bits(days: tuple[Weekday, ...], bits: int) -> None:
    assert bits_of(days) == bits
