"""Who goes first among broadcasts that are under way: tenants take turns, the urgent goes first."""

from collections import Counter

import pytest

from policy.time.timestamps import moment
from schemas.delivery import Delivery
from schemas.event import Event
from schemas.follow import Follow
from schemas.topics import DELIVER, EVENTS, FOLLOWS, REQUESTS, Topic
from schemas.vocabulary import Channel, Priority
from tests.simulation.roles import NOW, POSTS, Roles

AT_ONCE = 6
FOLLOWERS = 24
CATALOGUE = (
    POSTS
    + """
[types.warning]
category = "social"
priority = "critical"
channels = ["inapp"]
followers = true
time_to_live = "20d"
templates.inapp.body = "{{ data.text }}"
"""
)
"""Both types are told of each post; in the order of their names the critical one comes last."""
TOLD = {priority: DELIVER[Channel.INAPP, priority] for priority in Priority}


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.decider.fan_out.AT_ONCE", AT_ONCE)
    # The decider's default, which was bound when its module was read.
    monkeypatch.setattr("agents.decider.agent.Decider._do_by_clock.__defaults__", (AT_ONCE,))


def post(tenant: str, number: int) -> Event:
    return Event(
        id=f"{tenant}-{number}",
        type="post.published",
        actor="eve",
        occurred_at=moment(NOW),
        data={"text": "hello"},
        tenant=tenant,
    )


async def roles_with(*tenants: str, catalogue: str = POSTS) -> Roles:
    roles = Roles(catalogue=catalogue, fan_out_threshold=500)
    for tenant in tenants:
        for number in range(FOLLOWERS):
            said = Follow(follower=f"u{number:02}", followee="eve", at=moment(NOW), tenant=tenant)
            await roles.say(FOLLOWS, said)
    await roles.settle()
    return roles


def told(roles: Roles, *topics: Topic) -> Counter[str]:
    """How many people of each tenant."""
    found = (
        roles.read(topic, Delivery)
        for topic in topics or TOLD.values()
        if topic.name in roles.log.topics
    )
    return Counter(each.tenant for deliveries in found for each in deliveries)


async def test_all_broadcasts_of_a_slice_begin_with_as_many_people_as_one() -> None:
    roles = await roles_with("acme")
    await roles.say(EVENTS, *(post("acme", number) for number in range(3)))
    await roles.route()
    await roles.decide(*REQUESTS.values())
    assert told(roles) == {"acme": AT_ONCE}


async def test_a_tenant_with_many_broadcasts_leaves_another_each_second_turn() -> None:
    roles = await roles_with("acme", "zeta")
    await roles.say(EVENTS, *(post("acme", number) for number in range(5)), post("zeta", 0))
    await roles.route()
    await roles.decide(*REQUESTS.values())
    assert told(roles) == {"acme": 5, "zeta": 1}  # one each of six
    for turn in range(1, 9):
        await roles.on_timer()
        zetas = told(roles)["zeta"]
        assert zetas >= min(FOLLOWERS, 1 + turn // 2 * AT_ONCE)
    assert zetas == FOLLOWERS
    await roles.settle()
    assert told(roles) == {"acme": 5 * FOLLOWERS, "zeta": FOLLOWERS}


async def test_of_one_tenants_broadcasts_the_critical_one_goes_first() -> None:
    roles = await roles_with("acme", catalogue=CATALOGUE)
    await roles.say(EVENTS, post("acme", 0))
    await roles.route()
    await roles.decide(*REQUESTS.values())
    for _ in range(FOLLOWERS // AT_ONCE):
        await roles.on_timer()
    assert told(roles, TOLD[Priority.CRITICAL]) == {"acme": FOLLOWERS}
    assert told(roles, TOLD[Priority.NORMAL])["acme"] <= 2 * AT_ONCE


async def test_who_goes_on_after_a_restart_takes_the_one_whose_turn_it_is() -> None:
    roles = await roles_with("acme", "zeta")
    await roles.say(EVENTS, post("acme", 0), post("zeta", 0))
    await roles.route()
    await roles.decide(*REQUESTS.values())
    before = told(roles)
    await roles.on_timer()
    assert told(roles) - before == {"acme": AT_ONCE}
    await roles.restart_decider(roles.decider_store)
    await roles.on_timer()
    assert (told(roles) - before)["zeta"] == AT_ONCE
