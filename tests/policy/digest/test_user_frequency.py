"""How digests by a user's wish go with those of the types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.digest.user_frequency import (
    AT_ONCE,
    NEVER,
    Moments,
    in_time,
    moments,
    own_ends,
    window_of,
)
from policy.digest.windows import HOURLY, LATENESS_MS, DigestWindow, daily
from policy.user.profile import Profile
from policy.user.state import UserState
from policy.user.tenant import Tenant
from schemas.vocabulary import Channel, Frequency
from tests.policy.person import MINUTE, Person, at, kind
from tests.policy.samples import HOUR, NOON

PUSH = Channel.PUSH
DAY = 24 * HOUR
DAILY = daily(9 * 60)
EVENING = ((127, 20 * 60, 6 * 60),)
AFTERNOON = ((127, 16 * 60, 11 * 60),)
SNOOZED = Profile(quiet_hours=EVENING, snoozed_until=NOON + 9 * HOUR)
OFFICE = 'send_within = [{ start = "09:00", end = "18:00" }]'


def test_the_window_is_the_users_or_else_the_tenants() -> None:
    assert window_of("things", UserState()) == AT_ONCE
    tenant = Tenant(frequency={"*": Frequency.HOURLY})
    assert window_of("things", UserState(tenant=tenant)) == HOURLY
    ann = Profile(frequency={"things": Frequency.DAILY}, digest_at=600)
    assert window_of("things", UserState(ann, tenant=tenant)) == daily(600)


@pytest.mark.parametrize(
    ("window", "hourly", "by_day"),
    [
        ('every = "1h"', (0, 0, 0), (0, 0, 0)),
        ('every = "61m"', (61, 61, 161), (0, 0, 0)),
        ('pause = "30m", longest = "50m"', (0, 0, 0), (0, 0, 0)),
        ('pause = "30m"', (50, 50, 130), (0, 0, 0)),
        ('at = ["18:00"]', (360, 360, 360), (0, 0, 0)),
        ('every = "25h"', (1500, 1500, 1500), (1500, 1500, 1500)),
        # The first of March is a Sunday.
        ('at = ["18:00"], days = ["mon"]', (1800, 1800, 1800), (1800, 1800, 1800)),
    ],
)
def test_only_digests_that_may_last_longer_than_the_wish_matter(
    window: str, hourly: tuple[int, ...], by_day: tuple[int, ...]
) -> None:
    spec = kind(f'digests = [{{ channels = ["push"], {window} }}]', ttl="9d")
    times = [NOON, NOON + 20 * MINUTE, NOON + 100 * MINUTE]
    for wish, minutes in ((HOURLY, hourly), (DAILY, by_day)):
        expected = [NOON + each * MINUTE if each else 0 for each in minutes]
        assert list(own_ends(times, spec, PUSH, wish, "UTC")) == expected


def test_digests_that_may_last_longer_than_their_events_live_matter() -> None:
    spec = kind('digests = [{ channels = ["push"], every = "2h" }]')
    for ttl, end in ((HOUR, NOON + 2 * HOUR), (2 * HOUR, 0)):
        found = own_ends([NOON], replace(spec, time_to_live=ttl), PUSH, DAILY, "UTC")
        assert list(found) == [end]
    assert list(own_ends([NOON], spec, Channel.EMAIL, HOURLY, "UTC")) == [0]


@pytest.mark.parametrize(
    ("wish", "own_end", "closed_until", "opens", "ready"),
    [
        (HOURLY, 0, 0, NOON, NOON + 1),
        # An hour after the event, or when its own digest is over, if that is later.
        (HOURLY, NOON + 10 * MINUTE, 0, NOON, NOON + 10 * MINUTE),
        (HOURLY, NOON + 3 * HOUR, 0, NOON + 2 * HOUR, NOON + 3 * HOUR),
        # And an hour after the last message.
        (HOURLY, NOON + 3 * HOUR, NOON + 150 * MINUTE, NOON + 150 * MINUTE, NOON + 3 * HOUR),
        (DAILY, NOON + 3 * DAY, 0, NOON + 3 * DAY - 1, NOON + 3 * DAY),
        (AT_ONCE, NOON + HOUR, 0, NOON + HOUR - 1, NOON + HOUR),
    ],
)
def test_an_event_waits_for_the_digest_of_its_type(
    wish: DigestWindow, own_end: int, closed_until: int, opens: int, ready: int
) -> None:
    found = moments(NOON, own_end, NEVER, wish, closed_until)
    assert found == Moments(opens, ready, NEVER)
    assert found.opens <= found.ready <= wish.end([found.opens], "UTC")


def test_what_is_too_old_for_its_own_digest_hurries_nothing() -> None:
    by = NOON + HOUR
    assert moments(NOON, 0, by, HOURLY).latest == by
    assert moments(NOON, by, by, HOURLY).latest == by
    assert moments(NOON, by + 1, by, HOURLY).latest == NEVER


@pytest.mark.parametrize(
    ("special", "profile", "expires_at", "by"),
    [
        ("", Profile(), NOON + 12 * HOUR, NOON + 12 * HOUR),
        ("", Profile(quiet_hours=EVENING), NOON + 12 * HOUR, NOON + 8 * HOUR),
        ("", Profile(quiet_hours=EVENING), NOON + 8 * HOUR + MINUTE, NOON + 8 * HOUR),
        ("", Profile(quiet_hours=EVENING), NOON + 8 * HOUR, NOON + 8 * HOUR),
        ("", Profile(quiet_hours=EVENING), NOON + 21 * HOUR, NOON + 21 * HOUR),
        ('quiet_hours = "ignore"', Profile(quiet_hours=EVENING), NOON + 9 * HOUR, NOON + 9 * HOUR),
        (OFFICE, Profile(), NOON + 9 * HOUR, NOON + 6 * HOUR),
        # The quiet hours begin before the window closes, and go on when it is open again.
        (OFFICE, Profile(quiet_hours=AFTERNOON), NOON + 23 * HOUR, NOON + 4 * HOUR),
        # Nothing can be sent between the event and then.
        ("", Profile(quiet_hours=((127, 0, 1439),)), NOON + 9 * HOUR, None),
        ("", SNOOZED, NOON + 12 * HOUR, None),
    ],
)
def test_a_message_is_over_before_the_silence_in_which_its_events_become_too_old(
    special: str, profile: Profile, expires_at: int, by: int | None
) -> None:
    spec = kind(special)
    state = UserState(replace(profile, zone="UTC"))
    found = in_time(NOON, expires_at, DAILY, spec.plan_of(PUSH), state)
    assert found == (NEVER if by is None else by - MINUTE - LATENESS_MS)


@given(
    start=st.integers(0, 1439),
    length=st.integers(1, 1200),
    lives=st.integers(5, 1500),
    minutes=st.lists(st.integers(0, 900), min_size=1, max_size=5, unique=True),
)
def test_what_a_user_wants_daily_is_told_unless_it_is_quiet_for_as_long_as_it_lives(
    start: int, length: int, lives: int, minutes: list[int]
) -> None:
    """Minute by minute: is there one, between an event and its end, in which it is not quiet?"""
    quiet = ((127, start, (start + length) % 1440),)
    profile = Profile(
        ("phone",), quiet_hours=quiet, frequency={"*": Frequency.DAILY}, digest_at=9 * 60
    )
    ann, ends = Person(kind("", ttl=f"{lives}m"), profile), dict[str, str]()

    def pass_to(now: int) -> None:
        while due := [when for _, when in ann.ledger.timers() if when <= now]:
            for decision in ann.on_timer(min(due)):
                for notice in decision.notices:
                    ends[notice.request.event.id] = str(notice.outcome.stage)

    for number, minute in enumerate(sorted(minutes)):
        pass_to(NOON + minute * MINUTE)
        ann.meet(at(minute, f"e{number}"), NOON + minute * MINUTE)
    pass_to(NOON + 9 * DAY)
    for number, minute in enumerate(sorted(minutes)):
        # The last minutes of its life are for the message to be made and sent.
        alive = range(12 * 60 + minute + 3, 12 * 60 + minute + lives - 2)
        if any((each - start) % 1440 >= length for each in alive):
            assert ends[f"e{number}"] == "digested"
        elif all((each - start) % 1440 < length for each in range(alive.start - 3, alive.stop + 2)):
            assert ends[f"e{number}"] == "suppressed"
