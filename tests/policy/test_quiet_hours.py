import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.quiet_hours import LONGEST_MS, Quiet, quiet, quiet_until, zone_of
from policy.time.wall_clock import EVERY_DAY
from policy.user.profile import Profile, QuietSpan, quiet_span
from policy.user.tenant import DEFAULT_TENANT, Tenant
from schemas.profile import QuietHours
from schemas.vocabulary import Weekday
from tests.policy.clocks import DAY, MINUTE, ZONES, changes, epoch, places_in_time, wall

WEEK = 7 * 1440
clocks = st.integers(0, 1439) | st.integers(0, 23).map(lambda hour: hour * 60)
spans = st.lists(
    st.tuples(st.sampled_from([EVERY_DAY, 0b1, 0b110_0000]) | st.integers(1, 127), clocks, clocks),
    min_size=1,
    max_size=4,
).map(tuple)


def span(start: str, end: str, *days: Weekday) -> QuietSpan:
    return quiet_span(QuietHours(start=start, end=end, days=days))


NIGHT = span("22:00", "07:00")


def quiet_minutes(spans: tuple[QuietSpan, ...]) -> set[int]:
    """The minutes of a week that a hand passes between the start of a span and its end."""
    found = set()
    for days, start, end in spans:
        for day in range(7):
            if days >> day & 1:
                hand = start
                while hand % 1440 != end:
                    found.add((day * 1440 + hand) % WEEK)
                    hand += 1
    return found


def brute_force(zone: str, spans: tuple[QuietSpan, ...], now: int) -> int | None:
    """Watch the clock minute by minute until what it shows is not quiet."""
    minutes = quiet_minutes(spans)
    start = at = now // MINUTE * MINUTE
    while at < start + LONGEST_MS:
        clock = wall(zone, at)
        if (clock.weekday() * 24 + clock.hour) * 60 + clock.minute not in minutes:
            break
        at += MINUTE
    return None if at == start else at


@settings(max_examples=100, deadline=None)
@given(places_in_time, spans)
def test_it_is_quiet_until_a_watcher_sees_that_it_is_not(
    place: tuple[str, int], spans: tuple[QuietSpan, ...]
) -> None:
    zone, now = place
    assert quiet_until(zone, spans, now) == brute_force(zone, spans, now)


@pytest.mark.parametrize("zone", ZONES)
def test_every_quarter_around_the_latest_changes_of_the_clock(zone: str) -> None:
    schedule = (span("23:15", "00:30"), span("01:00", "02:30"), span("02:45", "03:10"))
    for change in changes(zone)[-4:]:
        for now in range(change - 4 * 3_600_000, change + 4 * 3_600_000, 15 * MINUTE):
            assert quiet_until(zone, schedule, now) == brute_force(zone, schedule, now)


@pytest.mark.parametrize(
    ("zone", "schedule", "now", "end"),
    [
        ("UTC", [NIGHT], "2026-06-30T21:59:59.999Z", None),
        ("UTC", [NIGHT], "2026-06-30T22:00Z", "2026-07-01T07:00Z"),
        ("UTC", [NIGHT], "2026-12-31T23:59:59Z", "2027-01-01T07:00Z"),
        ("UTC", [NIGHT], "2026-07-01T06:59:59.999Z", "2026-07-01T07:00Z"),
        ("UTC", [NIGHT], "2026-07-01T07:00Z", None),
        ("Asia/Kathmandu", [NIGHT], "2026-07-01T16:15Z", "2026-07-02T01:15Z"),
        ("UTC", [span("12:00", "12:00")], "2026-06-30T12:00Z", None),
        # A span belongs to the day on which it starts: this one to Friday's night.
        ("UTC", [span("22:00", "07:00", Weekday.FRI)], "2026-03-06T06:00Z", None),
        ("UTC", [span("22:00", "07:00", Weekday.FRI)], "2026-03-07T06:00Z", "2026-03-07T07:00Z"),
        ("UTC", [span("22:00", "07:00", Weekday.SUN)], "2026-03-02T06:00Z", "2026-03-02T07:00Z"),
        # Spans that touch or overlap are one.
        (
            "UTC",
            [span("22:00", "00:00"), span("00:00", "07:00")],
            "2026-03-06T23:00Z",
            "2026-03-07T07:00Z",
        ),
        (
            "UTC",
            [span("22:00", "10:00", Weekday.SAT), span("00:00", "12:00", Weekday.SUN)],
            "2026-03-07T22:00Z",
            "2026-03-08T12:00Z",
        ),
        # New York: 01:59 is followed by 03:00 on 8 March, 01:59 by 01:00 on 1 November.
        ("America/New_York", [span("01:00", "02:30")], "2026-03-08T06:00Z", "2026-03-08T07:00Z"),
        ("America/New_York", [span("02:15", "02:45")], "2026-03-08T07:00Z", None),
        ("America/New_York", [span("01:00", "02:30")], "2026-11-01T05:00Z", "2026-11-01T07:30Z"),
        ("America/New_York", [span("01:00", "01:30")], "2026-11-01T05:10Z", "2026-11-01T05:30Z"),
        ("America/New_York", [span("01:00", "01:30")], "2026-11-01T05:45Z", None),
        ("America/New_York", [span("01:00", "01:30")], "2026-11-01T06:10Z", "2026-11-01T06:30Z"),
        # Its end is the very moment at which the hour begins anew.
        ("America/New_York", [span("01:00", "02:00")], "2026-11-01T05:10Z", "2026-11-01T07:00Z"),
        ("America/New_York", [span("01:30", "02:00")], "2026-11-01T05:40Z", "2026-11-01T06:00Z"),
        # Apia: Thursday 29 December 2011 is followed by Saturday the 31st.
        ("Pacific/Apia", [span("22:00", "07:00")], "2011-12-30T09:00Z", "2011-12-30T17:00Z"),
        (
            "Pacific/Apia",
            [span("22:00", "07:00", Weekday.THU)],
            "2011-12-30T09:00Z",
            "2011-12-30T10:00Z",
        ),
    ],
)
def test_schedules(zone: str, schedule: list[QuietSpan], now: str, end: str | None) -> None:
    expected = None if end is None else epoch(end)
    assert quiet_until(zone, tuple(schedule), epoch(now)) == expected


@pytest.mark.parametrize(
    "schedule",
    [
        (span("00:00", "12:00"), span("12:00", "00:00")),
        (span("06:00", "05:00"), span("04:00", "08:00")),
    ],
)
@pytest.mark.parametrize("now", ["2026-03-02T00:00Z", "2026-03-29T00:59Z", "2026-10-25T23:59:59Z"])
def test_a_schedule_without_a_gap_ends_after_eight_days(
    schedule: tuple[QuietSpan, ...], now: str
) -> None:
    start = epoch(now) // MINUTE * MINUTE
    assert (
        quiet_until("Europe/Berlin", schedule, epoch(now)) == start + LONGEST_MS == start + 8 * DAY
    )


NOON = epoch("2026-03-01T12:00Z")
HOUR = 3_600_000


def test_without_spans_or_snooze_it_is_never_quiet() -> None:
    assert quiet(Profile(), DEFAULT_TENANT, NOON) is None
    assert quiet(Profile(snoozed_until=NOON), DEFAULT_TENANT, NOON) is None


def test_the_users_spans_take_the_place_of_the_tenants() -> None:
    tenant = Tenant(quiet_hours=(span("11:00", "13:00"),))
    assert quiet(Profile(), tenant, NOON) == Quiet(
        NOON + HOUR, "quiet hours until 2026-03-01T13:00:00Z (UTC)"
    )
    assert quiet(Profile(quiet_hours=(NIGHT,)), tenant, NOON) is None


@pytest.mark.parametrize(
    ("snoozed", "spans", "now", "end", "begins"),
    [
        ("2026-03-01T15:00Z", (), "2026-03-01T12:00Z", "2026-03-01T15:00Z", "snoozed"),
        ("2026-03-01T15:00Z", (NIGHT,), "2026-03-01T12:00Z", "2026-03-01T15:00Z", "snoozed"),
        # It ends in the night, which lasts until seven.
        ("2026-03-01T23:00Z", (NIGHT,), "2026-03-01T12:00Z", "2026-03-02T07:00Z", "quiet hours"),
        ("2026-03-01T23:00Z", (NIGHT,), "2026-03-01T22:30Z", "2026-03-02T07:00Z", "quiet hours"),
        # It begins in the night and goes on in the day.
        ("2026-03-02T10:00Z", (NIGHT,), "2026-03-02T06:00Z", "2026-03-02T10:00Z", "snoozed"),
        # It was over before the night began.
        ("2026-03-01T15:00Z", (NIGHT,), "2026-03-01T23:00Z", "2026-03-02T07:00Z", "quiet hours"),
    ],
)
def test_a_snooze_and_quiet_hours_are_one_quiet(
    snoozed: str, spans: tuple[QuietSpan, ...], now: str, end: str, begins: str
) -> None:
    profile = Profile(snoozed_until=epoch(snoozed), quiet_hours=spans)
    found = quiet(profile, DEFAULT_TENANT, epoch(now))
    assert found is not None
    assert found.until == epoch(end)
    assert found.detail.startswith(begins)


def test_a_snooze_that_never_ends_is_no_trouble() -> None:
    profile = Profile(snoozed_until=epoch("9999-01-01T00:00Z"), quiet_hours=(NIGHT,))
    found = quiet(profile, DEFAULT_TENANT, NOON)
    assert found is not None
    assert found.until == epoch("9999-01-01T07:00Z")


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "a\0b", "europe", " UTC"])
def test_an_unknown_zone_counts_as_the_tenants_and_that_is_said(zone: str) -> None:
    tenant = Tenant(zone="Asia/Tokyo")
    profile = Profile(zone=zone, quiet_hours=(NIGHT,))
    assert zone_of(profile, tenant) == "Asia/Tokyo"
    found = quiet(profile, tenant, epoch("2026-03-01T21:00Z"))
    assert found is not None
    assert found.until == epoch("2026-03-01T22:00Z")
    assert found.detail.endswith(f"(Asia/Tokyo, as {zone!r} is no known zone)")


def test_a_known_zone_is_the_users_and_none_is_the_tenants() -> None:
    tenant = Tenant(zone="Asia/Tokyo")
    assert zone_of(Profile(zone="Europe/Berlin"), tenant) == "Europe/Berlin"
    assert zone_of(Profile(), tenant) == "Asia/Tokyo"
    found = quiet(Profile(quiet_hours=(NIGHT,)), tenant, epoch("2026-03-01T21:00Z"))
    assert found == Quiet(
        epoch("2026-03-01T22:00Z"), "quiet hours until 2026-03-01T22:00:00Z (Asia/Tokyo)"
    )
