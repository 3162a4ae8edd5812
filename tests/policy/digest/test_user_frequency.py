"""How digests by a user's wish go with those of the types."""

import pytest
from msgspec.structs import replace

from policy.digest.user_frequency import AT_ONCE, NEVER, Moments, moments, own_ends, window_of
from policy.digest.windows import HOURLY, LATENESS_MS, DigestWindow, daily
from policy.user.profile import Profile
from policy.user.state import UserState
from policy.user.tenant import Tenant
from schemas.vocabulary import Channel, Frequency
from tests.policy.person import MINUTE, kind
from tests.policy.samples import HOUR, NOON

PUSH = Channel.PUSH
DAY = 24 * HOUR
DAILY = daily(9 * 60)


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
    assert found == Moments(opens, ready, NEVER - MINUTE - wish.lateness)
    assert found.opens <= found.ready <= wish.end([found.opens], "UTC")


def test_what_is_too_old_for_its_own_digest_hurries_nothing() -> None:
    by = NOON + HOUR - MINUTE - LATENESS_MS
    assert moments(NOON, 0, NOON + HOUR, HOURLY).latest == by
    assert moments(NOON, by, NOON + HOUR, HOURLY).latest == by
    assert moments(NOON, by + 1, NOON + HOUR, HOURLY).latest == NEVER
