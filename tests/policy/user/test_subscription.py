"""One click to leave and one to come back: of two the later counts, and nothing else is touched."""

from datetime import UTC, datetime
from itertools import permutations

import pytest

from policy.user.preferences import opt_out
from policy.user.profile import Profile
from policy.user.subscription import MOST_CATEGORIES, is_unsubscribed, with_subscription
from policy.user.tenant import DEFAULT_TENANT
from schemas.subscription import Subscription
from schemas.vocabulary import Channel

EMAIL, PUSH = Channel.EMAIL, Channel.PUSH
ONE_CLICK = "by user, one click"


def click(
    second: int, *, back: bool = False, category: str = "news", channel: Channel = EMAIL
) -> Subscription:
    at = datetime.fromtimestamp(second, UTC)
    return Subscription(user="u", category=category, channel=channel, at=at, subscribed=back)


def after(*clicks: Subscription, profile: Profile | None = None) -> Profile:
    profile = profile or Profile()
    for each in clicks:
        profile = with_subscription(profile, each)
    return profile


@pytest.mark.parametrize(
    ("clicks", "left"),
    [
        ([], False),
        ([click(1)], True),
        ([click(0)], True),  # at the very beginning of time, too
        ([click(1, back=True)], False),
        ([click(1), click(2, back=True)], False),
        ([click(1), click(2, back=True), click(3)], True),
        # Told late: what was said later counts.
        ([click(2, back=True), click(1)], False),
        ([click(2), click(1, back=True)], True),
        ([click(1), click(1)], True),
        # Said at the same moment: the last that is told.
        ([click(1), click(1, back=True)], False),
        ([click(1, back=True), click(1)], True),
    ],
)
def test_the_later_click_counts(clicks: list[Subscription], left: bool) -> None:
    profile = after(*clicks)
    assert is_unsubscribed(profile, "news", EMAIL) is left
    assert opt_out(profile, DEFAULT_TENANT, "news", EMAIL) == (ONE_CLICK if left else None)


def test_the_order_of_telling_changes_nothing() -> None:
    clicks = [click(1), click(2, back=True), click(3), click(4, back=True), click(5)]
    found = {is_unsubscribed(after(*order), "news", EMAIL) for order in permutations(clicks)}
    assert found == {True}


def test_it_is_of_one_category_on_one_channel() -> None:
    profile = after(click(1))
    assert not is_unsubscribed(profile, "news", PUSH)
    assert not is_unsubscribed(profile, "other", EMAIL)
    both = after(click(1), click(2, channel=PUSH), click(3, category="other"))
    for category, channel in (("news", EMAIL), ("news", PUSH), ("other", EMAIL)):
        assert is_unsubscribed(both, category, channel)
    assert not is_unsubscribed(both, "other", PUSH)


def test_it_overrides_whatever_was_chosen() -> None:
    wants = Profile(channels={EMAIL: True}, categories={"news": {EMAIL: True}})
    profile = after(click(1), profile=wants)
    assert opt_out(profile, DEFAULT_TENANT, "news", EMAIL) == ONE_CLICK
    back = after(click(2, back=True), profile=profile)
    assert opt_out(back, DEFAULT_TENANT, "news", EMAIL) is None
    unwanted = after(click(2, back=True), profile=Profile(channels={EMAIL: False}))
    assert opt_out(unwanted, DEFAULT_TENANT, "news", EMAIL) == "by user and channel"


def test_what_changes_nothing_gives_the_same_profile() -> None:
    profile = after(click(5))
    for again in (click(5), click(4), click(4, back=True)):
        assert with_subscription(profile, again) is profile


def test_the_oldest_category_goes_when_there_are_too_many() -> None:
    assert MOST_CATEGORIES == 200
    profile = after(*(click(n, category=f"c{n}") for n in range(1, 202)))
    assert len(profile.subscriptions) == 200
    assert not is_unsubscribed(profile, "c1", EMAIL)
    assert is_unsubscribed(profile, "c2", EMAIL)
    assert is_unsubscribed(profile, "c201", EMAIL)
