"""What would become of an event for one user, by each type that it sets off."""

import pytest

from policy.audience.audience import TOPIC
from policy.audience.membership import FollowFacts
from policy.catalogue.catalogue import parse
from policy.decision.context import Standing, explanations, followed
from policy.limits.rate_limit import TenantLimit, count_in
from policy.user.state import Quota
from policy.user.tenant import DEFAULT_TENANT
from schemas.event import Event, Notify
from schemas.vocabulary import Channel
from tests.policy.samples import EVERYWHERE, NOON, TYPE, happened

CATALOGUE = parse(
    {
        "thing.toml": TYPE,
        "post.toml": TYPE.replace('users = "who"', "followers = true").replace("thing", "post"),
        "news.toml": TYPE.replace('users = "who"', 'subscribers = "about"').replace(
            "thing", "news"
        ),
    }
)


def thing(**fields: object) -> Event:
    return happened("thing.happened", data={"who": "ann", "text": "hello"}, **fields)


def test_who_is_named_would_be_sent_it_on_every_channel_that_is_wanted() -> None:
    (found,) = explanations(thing(), "ann", NOON, CATALOGUE, Standing(EVERYWHERE), 1000)
    assert (found.type, found.refused) == ("thing", "")
    assert found.membership.is_in
    channels = {sent.channel for sent in found.sent}
    assert channels == {Channel.PUSH, Channel.EMAIL, Channel.INAPP}  # SMS is off by default


def test_who_is_not_named_would_not() -> None:
    (found,) = explanations(thing(), "bo", NOON, CATALOGUE, Standing(EVERYWHERE), 1000)
    assert not found.membership.is_in
    assert found.membership.why == "data.who names ann, not bo"


def test_a_path_through_the_data_is_said_whole() -> None:
    nested = parse({"thing.toml": TYPE.replace('users = "who"', 'users = "order.to.who"')})
    event = happened("thing.happened", data={"order": {"to": {"who": "ann"}}, "text": "hello"})
    (found,) = explanations(event, "ann", NOON, nested, Standing(EVERYWHERE), 1000)
    assert found.membership.is_in
    assert found.membership.why == "data.order.to.who names ann"


@pytest.mark.parametrize(("followers", "is_in"), [(4, True), (5, False)])
def test_from_the_threshold_on_feeds_read_a_post(followers: int, is_in: bool) -> None:
    ties = FollowFacts(follows={"a"}, followers={0: followers})
    event = happened("post.happened", data={"text": "hello"})
    (found,) = explanations(event, "ann", NOON, CATALOGUE, Standing(EVERYWHERE, ties=ties), 5)
    assert found.membership.is_in is is_in


def test_whose_followers_are_asked_about() -> None:
    post = happened("post.happened", data={"text": "hello"})
    assert followed(post, CATALOGUE.for_event(post)) == {"a"}
    news = happened("news.happened", data={"text": "hello", "about": ["cats", "dogs"]})
    assert followed(news, CATALOGUE.for_event(news)) == {TOPIC + "cats", TOPIC + "dogs"}
    assert followed(thing(), CATALOGUE.for_event(thing())) == set()
    named = thing(notify=Notify(type="post", users=("ann",)))
    assert followed(named, CATALOGUE.for_event(named)) == set()


def test_a_tenants_limit_is_this_partitions_share_with_what_was_used() -> None:
    tally = count_in(None, 3, 60, NOON)
    standing = Standing(EVERYWHERE, cancelled_at=7, tally=tally, partition=0, partitions=2)
    assert standing.state(DEFAULT_TENANT).quota is None
    limited = type(DEFAULT_TENANT)(rate_limit=TenantLimit(5, 60))
    state = standing.state(limited)
    assert state.quota == Quota(3, 60, tally)  # of five, the first of two partitions has three
    assert (state.profile, state.tenant, state.cancelled_at) == (EVERYWHERE, limited, 7)
