"""Since when nothing can be sent, by quiet hours and closed windows together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy.quiet_hours import silent_since
from policy.time.wall_clock import EVERY_DAY
from policy.user.profile import QuietSpan
from tests.policy.clocks import MINUTE, epoch, wall
from tests.policy.test_quiet_hours import WEEK, quiet_minutes

NIGHT = (EVERY_DAY, 22 * 60, 7 * 60)
OFFICE = (0b1_1111, 9 * 60, 18 * 60)
near_changes = st.tuples(
    st.sampled_from(
        [
            ("Europe/Berlin", epoch("2026-03-29T01:00Z")),
            ("Europe/Berlin", epoch("2026-10-25T01:00Z")),
            ("Australia/Lord_Howe", epoch("2026-04-04T15:00Z")),  # by half an hour
            ("Pacific/Apia", epoch("2011-12-30T10:00Z")),  # by a day
        ]
    ),
    st.integers(-600, 2400),
).map(lambda drawn: (drawn[0][0], drawn[0][1] + drawn[1] * MINUTE))
spans = st.lists(
    st.tuples(st.integers(1, EVERY_DAY), st.integers(0, 1439), st.integers(0, 1439)), max_size=2
).map(tuple)


@pytest.mark.parametrize(
    ("zone", "quiet", "within", "now", "since"),
    [
        ("UTC", (NIGHT,), (), "2026-03-03T21:59Z", None),
        ("UTC", (NIGHT,), (), "2026-03-03T22:00Z", "2026-03-03T22:00Z"),
        ("UTC", (NIGHT,), (), "2026-03-04T06:59Z", "2026-03-03T22:00Z"),
        ("UTC", (NIGHT,), (), "2026-03-04T07:00Z", None),
        ("UTC", (), (OFFICE,), "2026-03-08T12:00Z", "2026-03-06T18:00Z"),  # a Sunday
        ("UTC", (), (OFFICE,), "2026-03-09T08:59Z", "2026-03-06T18:00Z"),
        ("UTC", (), (OFFICE,), "2026-03-09T09:00Z", None),
        ("UTC", (NIGHT,), (OFFICE,), "2026-03-04T05:00Z", "2026-03-03T18:00Z"),
        # The clock goes forward at two, back at three.
        ("Europe/Berlin", (NIGHT,), (), "2026-03-29T04:00Z", "2026-03-28T21:00Z"),
        ("Europe/Berlin", (NIGHT,), (), "2026-10-25T05:00Z", "2026-10-24T20:00Z"),
    ],
)
def test_known_silences(
    zone: str,
    quiet: tuple[QuietSpan, ...],
    within: tuple[QuietSpan, ...],
    now: str,
    since: str | None,
) -> None:
    expected = None if since is None else epoch(since)
    assert silent_since(zone, quiet, within, epoch(now)) == expected


@settings(max_examples=30, deadline=None)
@given(near_changes, spans, spans)
def test_a_watcher_who_goes_back_minute_by_minute_finds_the_same(
    place: tuple[str, int], quiet: tuple[QuietSpan, ...], within: tuple[QuietSpan, ...]
) -> None:
    zone, now = place
    silent = quiet_minutes(quiet)
    if opened := quiet_minutes(within):
        silent |= set(range(WEEK)) - opened

    def is_silent(moment: int) -> bool:
        clock = wall(zone, moment)
        return (clock.weekday() * 24 + clock.hour) * 60 + clock.minute in silent

    found, at = silent_since(zone, quiet, within, now), now - now % MINUTE
    if not is_silent(at):
        assert found is None
        return
    for _ in range(2 * 1440):
        if not is_silent(at - MINUTE):
            assert found == at
            return
        at -= MINUTE
    assert found is not None
    assert found <= at
