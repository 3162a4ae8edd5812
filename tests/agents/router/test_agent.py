"""The router: events become requests, broadcasts or posts, and follows become exact counts."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agents.router.agent import TABLES, router
from agents.state import open_store
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.processing.role import Role
from pipeline.producing.outputs import partition_of
from policy.body import body_digest
from policy.catalogue.catalogue import parse
from schemas.dead_letter import DeadLetter
from schemas.event import Cancellation, Event
from schemas.feed import Post
from schemas.follow import Follow
from schemas.request import Broadcast, Request
from schemas.topics import (
    CANCELLATIONS,
    DEAD_LETTERS,
    DELIVERY_EVENTS,
    EVENTS,
    FOLLOWING,
    FOLLOWS,
    OUTBOX,
    REQUESTS,
    SUPPRESSIONS,
)
from schemas.vocabulary import Priority, Reason
from schemas.vocabulary import Stage as Step
from tables.followers import FOLLOWER_COUNTS
from tables.storage.table import key_of
from tests.agents.line import PARTITIONS
from tests.agents.names import unique, users_of
from tests.agents.samples import event, follow, order_shipped
from tests.agents.stage import Stage

SOCIAL = REQUESTS[Priority.NORMAL]
"""Where posts are broadcast."""
CATALOGUE = """
event = "thing.happened"

[types.{name}]
category = "things"
priority = "{priority}"
channels = ["inapp"]
time_to_live = 3600
templates.inapp.body = "hello"
{audience}
"""


def post(actor: str) -> Event:
    """An actor published something."""
    data = {"post_id": "p1", "author_name": "Ann", "text": "hello"}
    return event("post.published", data, actor=actor)


def router_of(stage: Stage, *types: tuple[str, Priority, str]) -> Role:
    """The router with a catalogue of types of `thing.happened`: name, priority and audience."""
    files = {
        f"{name}.toml": CATALOGUE.format(name=name, priority=priority, audience=audience)
        for name, priority, audience in types
    }
    return router(FixedCatalogue(parse(files)), stage.runtime)


def with_share(stage: Stage, share: int) -> None:
    """So many records a second for each tenant."""
    settings = stage.settings.model_copy(update={"tenant_share": share})
    stage.runtime = replace(stage.runtime, settings=settings)


async def counts_of(stage: Stage, followee: str) -> dict[int, int]:
    """The follower counts that a router restores from the changelog alone."""
    await stage.restart(keep_disk=False)
    number = partition_of(followee, PARTITIONS)
    store = open_store(stage.runtime, "router", number, *TABLES)
    await store.restore()
    (value,) = store.get_many([FOLLOWER_COUNTS.prefix + key_of("default", followee)])
    store.close()
    return FOLLOWER_COUNTS.decode(value) if value else {}


async def written(stage: Stage) -> list[tuple[str, int, bytes, bytes]]:
    """All that the router wrote, and where."""
    topics = (*REQUESTS.values(), FOLLOWING)
    records = [record for topic in topics for record in await stage.raw(topic)]
    return [(record.topic, record.partition, record.key, record.value) for record in records]


async def test_an_event_becomes_one_request_for_each_user_in_the_users_partition(
    stage: Stage,
) -> None:
    users = [*users_of(0, 2), *users_of(1, 1)]
    shipped = order_shipped([*users, users[0]])
    await stage.say(EVENTS, shipped)
    await stage.work(stage.router)
    requests = await stage.read(REQUESTS[Priority.HIGH], Request)
    assert sorted(request.user for request in requests) == sorted(users)
    assert {request.event.id for request in requests} == {shipped.id}
    for record in await stage.raw(REQUESTS[Priority.HIGH]):
        assert record.partition == partition_of(record.key.decode(), PARTITIONS)


async def test_a_ride_concerns_rider_and_driver_by_a_type_each(stage: Stage) -> None:
    rider, driver = unique("rider"), unique("driver")
    await stage.say(EVENTS, event("ride.matched", {"rider_id": rider, "driver_id": driver}))
    await stage.work(stage.router)
    requests = await stage.read(REQUESTS[Priority.CRITICAL], Request)
    found = {(request.type, request.user) for request in requests}
    assert found == {("ride_matched_rider", rider), ("ride_matched_driver", driver)}


async def test_the_origin_is_where_the_event_stands(stage: Stage) -> None:
    await stage.say(EVENTS, order_shipped(unique("user")))
    await stage.work(stage.router)
    (record,) = await stage.raw(EVENTS)
    (request,) = await stage.read(REQUESTS[Priority.HIGH], Request)
    origin = request.origin
    assert (origin.topic, origin.partition, origin.offset) == (
        record.topic,
        record.partition,
        record.offset,
    )
    assert request.accepted_at == record.timestamp


async def test_below_the_threshold_each_partition_that_holds_followers_gets_one_broadcast(
    stage: Stage,
) -> None:
    actor = unique("actor")
    await stage.say(FOLLOWS, *(follow(user, actor) for user in users_of(1, 3)))
    await stage.say(EVENTS, post(actor))
    await stage.work(stage.router)
    assert [record.partition for record in await stage.raw(SOCIAL)] == [1]
    assert await stage.raw(OUTBOX) == []
    (broadcast,) = await stage.read(SOCIAL, Broadcast)
    assert broadcast.event.actor == broadcast.followee == actor


async def test_nobody_follows_and_nothing_is_written(stage: Stage) -> None:
    await stage.say(EVENTS, post(unique("actor")))
    await stage.work(stage.router)
    assert [await stage.raw(topic) for topic in (SOCIAL, OUTBOX, DELIVERY_EVENTS)] == [[]] * 3


@pytest.mark.parametrize("followers", [3, 4])
async def test_from_the_threshold_on_the_post_goes_to_every_partitions_outbox(
    stage: Stage, followers: int
) -> None:
    actor = unique("actor")
    settings = stage.settings.model_copy(update={"fan_out_threshold": 3})
    stage.runtime = replace(stage.runtime, settings=settings)
    users = [*users_of(0, 2), *users_of(1, followers - 2)]
    await stage.say(FOLLOWS, *(follow(user, actor) for user in users))
    await stage.say(EVENTS, post(actor))
    await stage.work(stage.router)
    assert await stage.raw(SOCIAL) == []
    assert sorted(record.partition for record in await stage.raw(OUTBOX)) == [*range(PARTITIONS)]
    written, *copies = await stage.read(OUTBOX, Post)
    assert copies == [written] * (PARTITIONS - 1)
    (told,) = await stage.told()
    assert written.event.actor == told.user == actor
    assert (told.stage, told.reason) == (Step.SUPPRESSED, Reason.FAN_OUT_ON_READ)
    assert told.detail == f"{followers} followers"
    assert told.notification_id == written.notification_id


async def test_a_type_whose_condition_does_not_hold_tells_nobody_and_says_so(
    stage: Stage,
) -> None:
    """By a row each of those that are named, by one for all others; the type beside it goes on."""
    role = router_of(
        stage,
        ("dear", Priority.NORMAL, "users = 'who'\nwhen = 'data.amount > 100'"),
        ("any", Priority.NORMAL, "users = 'who'"),
        ("all", Priority.NORMAL, "followers = true\nwhen = 'data.amount > 100'"),
    )
    actor, ann, bob = unique("actor"), unique("ann"), unique("bob")
    await stage.say(FOLLOWS, follow(ann, actor))
    cheap, dear = (
        event("thing.happened", {"who": [ann, bob], "amount": amount}, actor=actor)
        for amount in (100, 101)
    )
    await stage.say(EVENTS, cheap, dear)
    await stage.work(role)
    requests = await stage.read(REQUESTS[Priority.NORMAL], Request)
    assert Counter((each.type, each.user, each.event.id) for each in requests) == {
        (name, user, said.id): 1
        for name, said in (("any", cheap), ("any", dear), ("dear", dear))
        for user in (ann, bob)
    }
    assert [each.event.id for each in await stage.read(SOCIAL, Broadcast)] == [dear.id]
    rows = await stage.told()
    assert {(row.type, row.user) for row in rows} == {("dear", ann), ("dear", bob), ("all", actor)}
    assert {row.event_id for row in rows} == {cheap.id}
    assert {(row.stage, row.reason, row.detail) for row in rows} == {
        (Step.SUPPRESSED, Reason.CONDITION, "not data.amount > 100")
    }


async def test_an_event_that_lacks_what_a_condition_needs_is_a_dead_letter(stage: Stage) -> None:
    role = router_of(stage, ("dear", Priority.NORMAL, "users = 'who'\nwhen = 'data.amount > 100'"))
    await stage.say(EVENTS, event("thing.happened", {"who": unique("ann")}))
    await stage.work(role)
    (letter,) = await stage.letters()
    assert (letter.reason, letter.detail) == (
        Reason.INVALID,
        "when: the variable 'amount' is missing",
    )
    assert await stage.raw(REQUESTS[Priority.NORMAL]) == []


async def test_follows_and_unfollows_told_twice_count_once(stage: Stage) -> None:
    actor, other = unique("actor"), unique("actor")
    (ann,), (bob, eve) = users_of(0, 1), users_of(1, 2)
    said = [
        *(follow(user, actor) for user in (ann, ann, bob, eve, ann, eve)),
        *(follow(user, actor, following=False) for user in (bob, bob)),
        follow(bob, other),
        follow(ann, other, following=False),
    ]
    await stage.say(FOLLOWS, *said)
    await stage.work(stage.router)
    await stage.say(FOLLOWS, follow(ann, actor), follow(bob, actor, following=False))
    await stage.work(stage.router)
    assert await counts_of(stage, actor) == {0: 1, 1: 1}
    assert await counts_of(stage, other) == {1: 1}


async def test_the_last_unfollow_leaves_no_count(stage: Stage) -> None:
    actor, (ann,) = unique("actor"), users_of(0, 1)
    await stage.say(FOLLOWS, follow(ann, actor), follow(ann, actor, following=False))
    await stage.work(stage.router)
    assert await counts_of(stage, actor) == {}


async def test_every_follow_is_told_on_to_the_followers_partition(stage: Stage) -> None:
    actor, users = unique("actor"), [*users_of(0, 1), *users_of(1, 1)]
    await stage.say(FOLLOWS, *(follow(user, actor) for user in (*users, *users)))
    await stage.work(stage.router)
    told = await stage.read(FOLLOWING, Follow)
    assert Counter(edge.follower for edge in told) == Counter([*users, *users])
    for record in await stage.raw(FOLLOWING):
        assert record.partition == partition_of(record.key.decode(), PARTITIONS)


async def test_a_replay_writes_the_same_again_and_changes_no_count(stage: Stage) -> None:
    actor, users = unique("actor"), [*users_of(0, 2), *users_of(1, 1)]
    await stage.say(FOLLOWS, *(follow(user, actor) for user in users))
    await stage.say(EVENTS, order_shipped(users), post(actor))
    await stage.work(stage.router)
    once = await written(stage)
    stage.again(FOLLOWS, EVENTS)
    await stage.work(stage.router)
    assert sorted(await written(stage)) == sorted([*once, *once])
    assert await counts_of(stage, actor) == {0: 2, 1: 1}


async def test_an_event_that_names_no_recipient_is_a_bad_record(stage: Stage) -> None:
    await stage.say(EVENTS, event("order.shipped", {"order_id": "1"}))
    await stage.work(stage.router)
    (letter,) = await stage.letters()
    assert letter.reason is Reason.INVALID
    assert "data.customer_id is missing" in letter.detail


async def test_a_priority_has_topics_of_its_own(stage: Stage) -> None:
    """Each type's records go to the topics of its priority, one event's to several."""
    (user,), actor = users_of(0, 1), unique("actor")
    kinds = (("for_users", 'users = "who"'), ("for_all", 'segment = { plan = "gold" }'))
    types = [
        (f"{name}_{priority}", priority, audience)
        for priority in Priority
        if priority is not Priority.BULK
        for name, audience in kinds
    ]
    await stage.say(EVENTS, event("thing.happened", {"who": user}, actor=actor))
    await stage.work(router_of(stage, *types))
    for priority in Priority:
        requests = await stage.read(REQUESTS[priority], Request)
        broadcasts = await stage.read(REQUESTS[priority], Broadcast)
        none = priority is Priority.BULK
        assert [each.type for each in requests] == ([] if none else [f"for_users_{priority}"])
        assert {each.type for each in broadcasts} == (set() if none else {f"for_all_{priority}"})
        assert not any(each.bulk for each in requests)
        assert not any(each.bulk for each in broadcasts)


async def test_the_origin_tells_one_body_from_another(stage: Stage) -> None:
    (user,), actor = users_of(0, 1), unique("actor")
    said = [order_shipped(user, actor=actor) for _ in range(2)]
    other = order_shipped([user], actor=actor)
    await stage.say(EVENTS, *said, other)
    await stage.work(stage.router)
    requests = await stage.read(REQUESTS[Priority.HIGH], Request)
    one, two, three = (request.origin.body for request in requests)
    assert one == two == body_digest(said[0])
    assert three == body_digest(other) != one


async def test_subscribers_are_asked_for_in_every_partition(stage: Stage) -> None:
    """Nobody is known to follow here: the counts of a topic are in another router partition."""
    await stage.say(EVENTS, event("thing.happened", {"about": ["chess", "go", "chess"]}))
    await stage.work(router_of(stage, ("thing", Priority.LOW, 'subscribers = "about"')))
    topic = REQUESTS[Priority.LOW]
    records = await stage.raw(topic)
    broadcasts = await stage.read(topic, Broadcast)
    found = {(r.partition, b.followee) for r, b in zip(records, broadcasts, strict=True)}
    assert found == {(at, f"topic:{name}") for at in range(PARTITIONS) for name in ("chess", "go")}
    assert len(records) == len(found)


async def test_a_segment_is_asked_for_in_every_partition(stage: Stage) -> None:
    segment = 'segment = { plan = "gold", country = "PT" }'
    await stage.say(EVENTS, event("thing.happened", {}))
    await stage.work(router_of(stage, ("thing", Priority.LOW, segment)))
    records = await stage.raw(REQUESTS[Priority.LOW])
    assert sorted(record.partition for record in records) == list(range(PARTITIONS))
    for broadcast in await stage.read(REQUESTS[Priority.LOW], Broadcast):
        assert broadcast.segment == {"plan": "gold", "country": "PT"}
        assert broadcast.followee == ""


async def test_a_cancellation_is_copied_to_every_partition(stage: Stage) -> None:
    said = Cancellation(cancel_key="trip-7", actor=unique("actor"), at=datetime.now(UTC))
    await stage.say(CANCELLATIONS, said)
    await stage.work(stage.router)
    assert await stage.read(SUPPRESSIONS, Cancellation) == [said] * PARTITIONS
    found = sorted(record.partition for record in await stage.raw(SUPPRESSIONS))
    assert found == list(range(PARTITIONS))


UNTIL = 'until = { event = "thing.over", match = "thing" }'
BY_NAME = f'users = "who"\n{UNTIL}'


@pytest.mark.parametrize(
    ("audience", "data", "where"),
    [
        (BY_NAME, {"who": users_of(1, 1)}, [1]),
        (BY_NAME, {"who": [*users_of(1, 2), *users_of(0, 1)]}, [0, 1, 1]),
        (BY_NAME, {"who": []}, []),
        (BY_NAME, {}, range(PARTITIONS)),
        (BY_NAME, {"thing": None}, []),
        (f"followers = true\n{UNTIL}", {"who": "ann"}, range(PARTITIONS)),
    ],
    ids=["one", "three", "nobody", "no word of users", "nothing", "followers"],
)
async def test_what_ends_a_type_is_told_where_it_may_wait(
    stage: Stage, audience: str, data: dict[str, object], where: list[int]
) -> None:
    """Once, also where it ends two types of one audience."""
    over = event("thing.over", {"thing": 7} | data, actor="zoe")
    await stage.say(EVENTS, over)
    both = [(name, Priority.NORMAL, audience) for name in ("one", "two")]
    await stage.work(router_of(stage, *both))
    said = await stage.read(SUPPRESSIONS, Cancellation)
    assert {(each.at, each.actor, each.tenant) for each in said} <= {
        (over.occurred_at, "zoe", "default")
    }
    assert sorted(record.partition for record in await stage.raw(SUPPRESSIONS)) == list(where)
    assert not await stage.raw(DEAD_LETTERS)


async def test_an_end_beyond_the_share_of_its_tenant_holds_up_nobody(stage: Stage) -> None:
    with_share(stage, 1)
    tenant = unique("tenant")
    for user in users_of(0, 8):
        over = event("thing.over", {"thing": 7, "who": user}, actor="zoe", tenant=tenant)
        await stage.say(EVENTS, over)
    await stage.work(router_of(stage, ("one", Priority.NORMAL, BY_NAME)))
    prompt, bulk = [
        len(await stage.raw(topic)) for topic in (SUPPRESSIONS, REQUESTS[Priority.BULK])
    ]
    assert prompt + bulk == 8
    assert bulk


async def test_what_ends_a_type_names_users_or_is_a_dead_letter(stage: Stage) -> None:
    await stage.say(EVENTS, event("thing.over", {"thing": 7, "who": 5.5}, actor="zoe"))
    await stage.work(router_of(stage, ("one", Priority.NORMAL, BY_NAME)))
    (letter,) = await stage.read(DEAD_LETTERS, DeadLetter)
    assert (letter.reason, letter.detail) == (
        Reason.INVALID,
        "data.who is not a user (1 to 200 characters) or a list of users, see thing.over",
    )
