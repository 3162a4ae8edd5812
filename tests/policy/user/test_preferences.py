from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.digest.windows import HOURLY, DigestWindow
from policy.user.preferences import frequency, muted, opt_out, wish_window
from policy.user.profile import FOR_GOOD, Profile
from policy.user.profile_change import with_change
from policy.user.tenant import DEFAULT_TENANT, Tenant
from schemas.profile import Preferences, ProfileChange
from schemas.vocabulary import Channel, Frequency, Reason

NOON = 1_772_366_400_000  # 2026-03-01T12:00Z

choices = st.none() | st.booleans()
frequencies = st.none() | st.sampled_from(Frequency)


def said(
    kind: type[Profile] | type[Tenant],
    channel: Channel,
    by_channel: bool | None,
    by_category: bool | None,
    elsewhere: bool | None,
) -> Profile | Tenant:
    return kind(
        channels={} if by_channel is None else {channel: by_channel},
        categories={
            "things": {} if by_category is None else {channel: by_category},
            "other": {} if elsewhere is None else {channel: elsewhere},
        },
    )


@given(st.sampled_from(Channel), choices, choices, choices, choices, choices)
def test_the_narrower_choice_wins_and_the_users_before_the_tenants(
    channel: Channel,
    of_user: bool | None,
    of_user_here: bool | None,
    of_tenant: bool | None,
    of_tenant_here: bool | None,
    elsewhere: bool | None,
) -> None:
    profile = said(Profile, channel, of_user, of_user_here, elsewhere)
    tenant = said(Tenant, channel, of_tenant, of_tenant_here, elsewhere)
    assert isinstance(profile, Profile)
    assert isinstance(tenant, Tenant)
    order = (of_user_here, of_user, of_tenant_here, of_tenant, channel is not Channel.SMS)
    wanted = next(choice for choice in order if choice is not None)
    assert (opt_out(profile, tenant, "things", channel) is None) is wanted


OFF = {Channel.PUSH: False}
ON = {Channel.PUSH: True}


@pytest.mark.parametrize(
    ("profile", "tenant", "why"),
    [
        (Profile(), DEFAULT_TENANT, None),
        (Profile(channels=OFF), DEFAULT_TENANT, "by user and channel"),
        (Profile(channels=OFF, categories={"other": ON}), DEFAULT_TENANT, "by user and channel"),
        (
            Profile(channels=ON, categories={"things": OFF}),
            Tenant(),
            "by user, category and channel",
        ),
        (
            Profile(categories={"things": ON}, channels=OFF),
            Tenant(categories={"things": OFF}),
            None,
        ),
        (Profile(), Tenant(channels=OFF), "by tenant and channel"),
        (
            Profile(),
            Tenant(channels=ON, categories={"things": OFF}),
            "by tenant, category and channel",
        ),
        (Profile(channels=ON), Tenant(channels=OFF, categories={"things": OFF}), None),
    ],
)
def test_the_choice_is_named(profile: Profile, tenant: Tenant, why: str | None) -> None:
    assert opt_out(profile, tenant, "things", Channel.PUSH) == why


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        (Channel.PUSH, None),
        (Channel.EMAIL, None),
        (Channel.INAPP, None),
        (Channel.SMS, "by default"),
    ],
)
def test_all_but_sms_is_on_by_default(channel: Channel, why: str | None) -> None:
    assert opt_out(Profile(), DEFAULT_TENANT, "things", channel) == why


@pytest.mark.parametrize(
    ("topic", "now", "expected"),
    [
        ("for good", NOON, (Reason.MUTED, "chat/for good")),
        ("till noon", NOON - 1, (Reason.SNOOZED, "chat/till noon until 2026-03-01T12:00:00Z")),
        ("till noon", NOON, None),
        ("another", NOON, None),
        ("", NOON, None),
    ],
)
def test_mutes(topic: str, now: int, expected: tuple[Reason, str] | None) -> None:
    profile = Profile(mutes={"chat/for good": FOR_GOOD, "chat/till noon": NOON, "chat/": FOR_GOOD})
    assert muted(profile, "chat", topic, now) == expected
    assert muted(profile, "rides", topic, now) is None
    assert muted(Profile(), "chat", topic, now) is None


@given(frequencies, frequencies, frequencies, frequencies)
def test_a_frequency_is_of_the_category_or_of_all_others(
    of_user: Frequency | None,
    of_user_else: Frequency | None,
    of_tenant: Frequency | None,
    of_tenant_else: Frequency | None,
) -> None:
    def given_as(here: Frequency | None, otherwise: Frequency | None) -> dict[str, Frequency]:
        both = {"things": here, "*": otherwise, "unrelated": Frequency.HOURLY}
        return {name: value for name, value in both.items() if value is not None}

    profile = Profile(frequency=given_as(of_user, of_user_else))
    tenant = Tenant(frequency=given_as(of_tenant, of_tenant_else))
    order = (of_user, of_user_else, of_tenant, of_tenant_else, Frequency.INSTANTLY)
    assert frequency(profile, tenant, "things") is next(each for each in order if each)


def test_without_any_word_everything_comes_instantly() -> None:
    assert frequency(Profile(), DEFAULT_TENANT, "things") is Frequency.INSTANTLY


@pytest.mark.parametrize(
    ("user", "tenant", "minute"), [(None, None, 540), (None, 1080, 1080), (0, 1080, 0)]
)
def test_a_daily_digest_comes_when_the_user_wants_it(
    user: int | None, tenant: int | None, minute: int
) -> None:
    defaults = DEFAULT_TENANT if tenant is None else Tenant(digest_at=tenant)
    profile = Profile(digest_at=user)
    assert wish_window(profile, defaults, Frequency.DAILY) == DigestWindow(times=(minute,))
    assert wish_window(profile, defaults, Frequency.HOURLY) == HOURLY
    assert wish_window(profile, defaults, Frequency.WEEKLY) == DigestWindow(times=(minute,), days=1)
    assert wish_window(profile, defaults, Frequency.INSTANTLY) is None


def test_a_wish_is_stored_as_it_was_said() -> None:
    wanted = {"things": Frequency.WEEKLY, "likes": Frequency.HOURLY}
    said = Preferences(user="ann", frequency=wanted)
    assert Profile().with_preferences(said).frequency == wanted
    change = ProfileChange(user="ann", frequency=wanted)
    assert with_change(Profile(), change).frequency == wanted
    other = ProfileChange(user="ann", frequency={"likes": Frequency.DAILY})
    assert with_change(Profile(frequency=wanted), other).frequency["things"] is Frequency.WEEKLY


def test_what_is_said_of_one_channel_leaves_the_others_alone() -> None:
    for channel, other in product(Channel, Channel):
        profile = Profile(channels={channel: False}, categories={"things": {channel: False}})
        expected = "by default" if other is Channel.SMS else None
        if channel is other:
            expected = "by user, category and channel"
        assert opt_out(profile, DEFAULT_TENANT, "things", other) == expected
