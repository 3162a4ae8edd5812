from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.quiet_hours import is_within, quiet, wall_clock

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Pacific/Chatham",
    "America/Santiago",
]
clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000


def epoch(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def brute_force(zone: str, start: str, end: str, now: int) -> bool:
    """Walk the clock face from start to end and look whether the hands pass the wall's time."""
    wall = (EPOCH + timedelta(milliseconds=now)).astimezone(ZoneInfo(zone))
    face = datetime.strptime(start, "%H:%M").replace(tzinfo=UTC)
    while face.strftime("%H:%M") != end:
        if face.strftime("%H:%M") == wall.strftime("%H:%M"):
            return True
        face += timedelta(minutes=1)
    return False


@given(
    st.sampled_from(ZONES),
    clocks,
    clocks,
    st.integers(631_152_000_000, 2_114_380_800_000),  # 1990 to 2037
)
def test_agrees_with_brute_force(zone: str, start: str, end: str, now: int) -> None:
    assert (quiet(zone, start, end, now) is not None) is brute_force(zone, start, end, now)


@pytest.mark.parametrize("zone", ZONES)
def test_every_minute_around_each_clock_change_of_2026(zone: str) -> None:
    place = ZoneInfo(zone)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for hour in range(365 * 24):
        before = start + timedelta(hours=hour)
        after = before + timedelta(hours=1)
        if before.astimezone(place).utcoffset() == after.astimezone(place).utcoffset():
            continue
        for minute in range(-90, 150):
            moment = before + timedelta(minutes=minute)
            expected = moment.astimezone(place).strftime("%H:%M")
            assert wall_clock(zone, epoch(moment) // MINUTE) == expected


@pytest.mark.parametrize(
    ("moment", "is_quiet"),
    [
        # Berlin springs forward at 01:00Z: 01:59 is followed by 03:00.
        ("2026-03-29T00:59:59Z", True),
        ("2026-03-29T01:00:00Z", False),
        # and falls back at 01:00Z: 02:59 is followed by 02:00 again.
        ("2026-10-25T00:59:59Z", True),
        ("2026-10-25T01:00:00Z", True),
        ("2026-10-25T01:59:59Z", True),
        ("2026-10-25T02:00:00Z", False),
        # Midnight does not end a span that crosses it.
        ("2026-06-30T21:59:59Z", True),
        ("2026-06-30T22:00:00Z", True),
    ],
)
def test_nights_in_berlin(moment: str, is_quiet: bool) -> None:
    now = epoch(datetime.fromisoformat(moment))
    assert (quiet("Europe/Berlin", "22:00", "03:00", now) is not None) is is_quiet


@given(clocks, clocks)
def test_equal_ends_are_never_quiet(clock: str, edge: str) -> None:
    assert not is_within(clock, edge, edge)


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../../etc/passwd", "a\0b"])
def test_an_unknown_zone_counts_as_utc_and_says_so(zone: str) -> None:
    now = epoch(datetime(2026, 5, 1, 23, tzinfo=UTC))
    why = quiet(zone, "22:00", "06:00", now)
    assert why is not None
    assert repr(zone) in why
    assert quiet(zone, "06:00", "22:00", now) is None
