"""Send windows: what makes a sound goes out only while the user's clock is within one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.audience.membership import Membership
from policy.decision.decide import decide
from policy.decision.explanation import explain
from policy.quiet_hours import LONGEST_MS, opens_at
from policy.user.profile import Profile, QuietSpan
from policy.user.state import UserState
from schemas.vocabulary import Channel, Reason, Stage
from tests.policy.clocks import MINUTE, ZONES, changes, epoch, places_in_time, wall
from tests.policy.person import kind
from tests.policy.samples import HOUR, NOON, request
from tests.policy.test_quiet_hours import quiet_minutes, span, spans

WEEKDAYS = (
    'send_within = [{ days = ["mon", "tue", "wed", "thu", "fri"], start = "09:00", end = "18:00" }]'
)


def brute_force(zone: str, spans: tuple[QuietSpan, ...], now: int) -> int | None:
    """Watch the clock minute by minute until what it shows is within a span."""
    minutes = quiet_minutes(spans)
    start = at = now // MINUTE * MINUTE
    while at < start + 2 * LONGEST_MS:
        clock = wall(zone, at)
        if (clock.weekday() * 24 + clock.hour) * 60 + clock.minute in minutes:
            break
        at += MINUTE
    return None if at == start else at


@settings(max_examples=100, deadline=None)
@given(places_in_time, spans.filter(quiet_minutes))
def test_it_opens_when_a_watcher_sees_that_it_is_open(
    place: tuple[str, int], spans: tuple[QuietSpan, ...]
) -> None:
    zone, now = place
    assert opens_at(zone, spans, now) == brute_force(zone, spans, now)


@pytest.mark.parametrize("zone", ZONES)
def test_every_quarter_around_the_latest_changes_of_the_clock(zone: str) -> None:
    schedule = (span("23:15", "00:30"), span("02:15", "02:30"), span("03:00", "03:10"))
    for change in changes(zone)[-4:]:
        for now in range(change - 4 * HOUR, change + 4 * HOUR, 15 * MINUTE):
            assert opens_at(zone, schedule, now) == brute_force(zone, schedule, now)


@pytest.mark.parametrize(
    ("zone", "schedule", "now", "opens"),
    [
        ("UTC", [span("09:00", "18:00")], "2026-03-01T12:00Z", None),
        ("UTC", [span("09:00", "18:00")], "2026-03-01T17:59:59Z", None),
        ("UTC", [span("09:00", "18:00")], "2026-03-01T18:00Z", "2026-03-02T09:00Z"),
        ("Europe/Berlin", [span("09:00", "18:00")], "2026-03-28T20:00Z", "2026-03-29T07:00Z"),
        ("Europe/Berlin", [span("09:00", "18:00")], "2026-10-24T20:00Z", "2026-10-25T08:00Z"),
        # A span that the clock skips is not there that day.
        ("Europe/Berlin", [span("02:00", "02:30")], "2026-03-29T00:30Z", "2026-03-30T00:00Z"),
        # One that it half skips opens with the jump.
        ("Europe/Berlin", [span("02:00", "03:30")], "2026-03-29T00:30Z", "2026-03-29T01:00Z"),
        # One that it shows twice opens twice.
        ("Europe/Berlin", [span("02:00", "02:30")], "2026-10-25T00:30Z", "2026-10-25T01:00Z"),
    ],
)
def test_known_moments(zone: str, schedule: list[QuietSpan], now: str, opens: str | None) -> None:
    expected = None if opens is None else epoch(opens)
    assert opens_at(zone, tuple(schedule), epoch(now)) == expected


def test_it_waits_for_monday_and_says_so() -> None:
    """The first of March 2026 is a Sunday."""
    spec = kind(WEEKDAYS + '\nquiet_hours = "ignore"')
    state = UserState(Profile(("phone",), zone="Europe/Berlin"))
    (told,) = decide(request(), spec, state, NOON).outcomes
    detail = "is sent from 2026-03-02T08:00:00Z on"
    assert (told.stage, told.reason, told.detail) == (Stage.HELD, Reason.SCHEDULED, detail)
    saturday = NOON - 24 * HOUR
    (told,) = decide(request(at=saturday), spec, state, saturday).outcomes
    detail += ", and by then it is too old"
    assert (told.stage, told.reason, told.detail) == (Stage.SUPPRESSED, Reason.EXPIRED, detail)
    found = explain(request(), spec, Membership(True, ""), state, NOON)
    (asked,) = [each for each in found.asked if each.rule == "send window"]
    assert asked.looked_at == (
        "Sun 13:00 in Europe/Berlin; sent 09:00 to 18:00 on Mon Tue Wed Thu Fri"
    )


def test_without_a_window_nothing_is_asked() -> None:
    rules = {rule.name for rule in kind("").steps[0].plans[0].rules}
    assert "send window" not in rules
    asked = {rule.name for rule in kind(WEEKDAYS).steps[0].plans[0].rules}
    assert asked == rules | {"send window"}


@given(st.integers(0, 7 * 1440 - 1))
def test_what_makes_a_sound_is_sent_within_and_all_else_at_once(minute: int) -> None:
    spec = kind(WEEKDAYS, "push inapp")
    now = NOON + minute * MINUTE
    clock = wall("Asia/Tokyo", now)
    is_open = clock.weekday() < 5 and 9 <= clock.hour < 18
    state = UserState(Profile(("phone",), zone="Asia/Tokyo"))
    decision = decide(request(at=now), spec, state, now)
    sent = {each.channel for each in decision.deliveries}
    assert sent == ({Channel.PUSH, Channel.INAPP} if is_open else {Channel.INAPP})
