"""What counts as leaving, worked out by hand."""

import pytest

from policy.user.opt_outs import left, newly_stopped, opt_outs
from policy.user.profile import Profile
from policy.user.suppression import stopped, with_bar
from policy.user.tenant import Tenant
from schemas.vocabulary import Channel

EMAIL, SMS, PUSH = Channel.EMAIL, Channel.SMS, Channel.PUSH
NOTHING, ON_SMS = Profile(), Tenant(channels={SMS: True})
NOON = 1_795_000_000_000

CASES = [
    (NOTHING, Profile(channels={EMAIL: False}), Tenant(), {("", EMAIL)}),
    (NOTHING, Profile(channels={EMAIL: True}), Tenant(), set()),
    # SMS is off by default, so it is left only where somebody turned it on.
    (NOTHING, Profile(channels={SMS: False}), Tenant(), set()),
    (NOTHING, Profile(channels={SMS: False}), ON_SMS, {("", SMS)}),
    (Profile(channels={SMS: True}), Profile(channels={SMS: False}), Tenant(), {("", SMS)}),
    # What the tenant has off can't be left, nor what the user left by one click before.
    (NOTHING, Profile(channels={EMAIL: False}), Tenant(channels={EMAIL: False}), set()),
    (
        Profile(subscriptions={"news": {EMAIL: NOON}}),
        Profile(
            subscriptions={"news": {EMAIL: NOON}}, categories={"news": {EMAIL: False, PUSH: False}}
        ),
        Tenant(),
        {("news", PUSH)},
    ),
    # A category that stays on while its channel goes is not left, and others go with it.
    (
        NOTHING,
        Profile(
            channels={EMAIL: False}, categories={"news": {EMAIL: True}, "bills": {EMAIL: False}}
        ),
        Tenant(),
        {("", EMAIL)},
    ),
    # Off by its own cell already, whatever becomes of the channel's other categories.
    (
        Profile(categories={"news": {EMAIL: False}}),
        Profile(categories={"news": {EMAIL: False}, "bills": {EMAIL: False}}),
        Tenant(),
        {("bills", EMAIL)},
    ),
]


@pytest.mark.parametrize(("before", "after", "tenant", "expected"), CASES)
def test_what_went_to_them_and_does_not_any_more_is_left(
    before: Profile, after: Profile, tenant: Tenant, expected: set[tuple[str, Channel]]
) -> None:
    assert {(each.category, each.channel) for each in opt_outs(before, after, tenant)} == expected


def test_stop_is_left_once_and_only_where_the_user_has_the_number() -> None:
    before = Profile(phone="+4915112345678")
    after = with_bar(before, stopped("+4915112345678", NOON))
    assert [(o.category, o.channel) for o in newly_stopped(before, after, NOON)] == [("", SMS)]
    assert list(newly_stopped(after, with_bar(after, stopped(before.phone, NOON + 1)), NOON)) == []
    other = with_bar(before, stopped("+4915100000000", NOON))
    assert list(newly_stopped(before, other, NOON)) == []


def test_an_event_says_who_what_and_by_what_and_has_one_id() -> None:
    (what,) = opt_outs(NOTHING, Profile(channels={EMAIL: False}), Tenant())
    event = left("acme", "ann", what, "page", NOON)
    assert (event.tenant, event.user, event.category, event.channel) == ("acme", "ann", "", EMAIL)
    assert (event.stage, event.detail, event.at, event.occurred_at) == (
        "unsubscribed", "page", NOON, NOON,
    )  # fmt: skip
    assert (event.type, event.event_id, event.notification_id) == ("", "", "")
    assert left("acme", "ann", what, "page", NOON).id == event.id
    assert left("acme", "bob", what, "page", NOON).id != event.id
    assert left("acme", "ann", what, "page", NOON + 1).id != event.id
