"""One click to unsubscribe is honoured, in whatever order clicks are told."""

from datetime import UTC, datetime, timedelta

import pytest

from policy.decision.decide import decide
from policy.user.ledger import Ledger
from policy.user.preferences import opt_out
from policy.user.profile import Profile
from policy.user.state import UserState
from policy.user.subscription import MOST_CATEGORIES, is_unsubscribed, with_subscription
from policy.user.tenant import DEFAULT_TENANT
from schemas.profile import Subscription
from schemas.vocabulary import Channel, Reason
from tests.policy.samples import EVERYWHERE, NOON, request, variant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def click(
    at: int, subscribed: bool = False, category: str = "things", channel: Channel = Channel.EMAIL
) -> Subscription:
    """One click so many milliseconds after 1970 began."""
    moment = EPOCH + timedelta(milliseconds=at)
    return Subscription(
        user="ann", category=category, channel=channel, at=moment, subscribed=subscribed
    )


def after(*clicks: Subscription) -> Profile:
    profile = Profile()
    for each in clicks:
        profile = with_subscription(profile, each)
    return profile


LEFT, BACK = False, True


@pytest.mark.parametrize(
    ("clicks", "unsubscribed"),
    [
        ([], False),
        ([(10, LEFT)], True),
        ([(10, LEFT), (20, BACK)], False),
        ([(10, LEFT), (20, BACK), (30, LEFT)], True),
        # What is told late changes nothing.
        ([(20, BACK), (10, LEFT)], False),
        ([(20, LEFT), (10, BACK)], True),
        ([(20, LEFT), (19, BACK)], True),
        # Of the same moment, what is told last counts.
        ([(10, LEFT), (10, BACK)], False),
        ([(10, BACK), (10, LEFT)], True),
        ([(10, BACK)], False),
        # A clock that stands at its beginning.
        ([(0, LEFT)], True),
        ([(0, BACK)], False),
    ],
)
def test_the_latest_click_counts(clicks: list[tuple[int, bool]], unsubscribed: bool) -> None:
    profile = after(*(click(*each) for each in clicks))
    assert is_unsubscribed(profile, "things", Channel.EMAIL) is unsubscribed


def test_a_click_is_of_one_category_on_one_channel() -> None:
    profile = after(click(10), click(10, category="news", channel=Channel.PUSH))
    found = {
        (category, channel)
        for category in ("things", "news", "else")
        for channel in Channel
        if is_unsubscribed(profile, category, channel)
    }
    assert found == {("things", Channel.EMAIL), ("news", Channel.PUSH)}
    both = with_subscription(profile, click(10, channel=Channel.SMS))
    assert both.subscriptions["things"] == {Channel.EMAIL: 10, Channel.SMS: 10}


@pytest.mark.parametrize("again", [click(10), click(9), click(9, BACK)])
def test_what_is_no_news_leaves_the_profile_as_it_is(again: Subscription) -> None:
    profile = after(click(10))
    assert with_subscription(profile, again) is profile


def test_of_very_many_categories_those_clicked_last_are_remembered() -> None:
    profile = after(*(click(n, category=f"c{n}") for n in range(1, MOST_CATEGORIES + 1)))
    assert MOST_CATEGORIES == 200
    assert list(profile.subscriptions) == [f"c{n}" for n in range(1, 201)]
    # The first is clicked again, and is the newest then; so the second goes.
    profile = with_subscription(profile, click(500, BACK, category="c1"))
    profile = with_subscription(profile, click(501, category="new"))
    assert list(profile.subscriptions) == [*(f"c{n}" for n in range(3, 201)), "c1", "new"]


def test_one_click_overrides_all_that_preferences_say() -> None:
    wanted = Profile(categories={"things": {Channel.EMAIL: True}}, channels={Channel.EMAIL: True})
    left = with_subscription(wanted, click(10))
    said = [opt_out(left, DEFAULT_TENANT, "things", channel) for channel in Channel]
    assert said == [None, "by user, one click", "by default", None, None, None]
    back = with_subscription(left, click(20, BACK))
    assert opt_out(back, DEFAULT_TENANT, "things", Channel.EMAIL) is None


@pytest.mark.parametrize("transactional", [False, True])
def test_who_left_gets_only_what_is_transactional(transactional: bool) -> None:
    spec = variant(("= 86400", f"= 86400\ntransactional = {str(transactional).lower()}"))
    left = with_subscription(EVERYWHERE, click(NOON))
    decision = decide(request(), spec, UserState(left, Ledger()), NOON)
    sent = {delivery.channel for delivery in decision.deliveries}
    assert (Channel.EMAIL in sent) is transactional
    assert Channel.PUSH in sent
    refused = {
        outcome.detail
        for outcome in decision.outcomes
        if (outcome.channel, outcome.reason) == (Channel.EMAIL, Reason.OPTED_OUT)
    }
    assert refused == (set() if transactional else {"by user, one click"})
