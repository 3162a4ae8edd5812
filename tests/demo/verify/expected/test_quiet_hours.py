"""The model's quiet hours against hand-made cases, and Tocsin's own against the model's."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.dataset.people import PLACES
from demo.verify.expected.quiet_hours import QuietHours
from policy.quiet_hours import quiet_until
from policy.time.wall_clock import EVERY_DAY, minutes_of

CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
MOMENTS = st.integers(1_767_225_600, 1_830_297_600)  # 2026 and 2027


def _ms(text: str, zone: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return round(moment.timestamp() * 1000)


def _hours(start: str, end: str, zone: str) -> QuietHours:
    return QuietHours({"quiet_hours": [{"start": start, "end": end}]}, zone)


@pytest.mark.parametrize(
    ("start", "end", "zone", "at", "until"),
    [
        ("22:00", "07:00", "UTC", "2026-03-01T22:00", "2026-03-02T07:00"),
        ("22:00", "07:00", "UTC", "2026-03-01T06:59", "2026-03-01T07:00"),
        ("22:00", "07:00", "UTC", "2026-03-01T07:00", None),
        ("13:00", "14:30", "Asia/Kathmandu", "2026-03-01T13:10", "2026-03-01T14:30"),
        # The clock jumps from 02:00 to 03:00, so that the end is never shown.
        ("22:00", "02:30", "Europe/Berlin", "2026-03-29T01:00", "2026-03-29T03:00"),
        ("12:00", "12:00", "UTC", "2026-03-01T12:00", None),
    ],
)
def test_quiet_until(start: str, end: str, zone: str, at: str, until: str | None) -> None:
    expected = None if until is None else _ms(until, zone)
    assert _hours(start, end, zone).until(_ms(at, zone)) == expected


def test_changes_between_two_moments() -> None:
    noon = _ms("2026-03-01T12:00", "UTC")
    hours = _hours("12:01", "12:03", "UTC")
    end = noon + 180_000
    found = list(hours.between(noon, noon + 240_000))
    assert found == [(noon, None), (noon + 60_000, end), (end, None)]


@given(CLOCKS, CLOCKS, st.sampled_from([zone for zone, *_ in PLACES]), MOMENTS)
def test_tocsin_finds_the_same_end_as_a_look_at_the_clock_each_minute(
    start: str, end: str, zone: str, second: int
) -> None:
    span = (EVERY_DAY, minutes_of(start), minutes_of(end))
    at = second * 1000
    assert quiet_until(zone, (span,), at) == _hours(start, end, zone).until(at)
