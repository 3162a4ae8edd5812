"""The router: events become requests, broadcasts or posts, and follows become exact counts."""

from collections import Counter
from dataclasses import replace

import pytest

from agents.state import open_store
from pipeline.outputs import partition_of
from pipeline.topics import (
    BROADCASTS,
    DELIVERY_EVENTS,
    EVENTS,
    FOLLOWING,
    FOLLOWS,
    OUTBOX,
    REQUESTS,
)
from schemas.event import Event
from schemas.follow import Follow
from schemas.post import Post
from schemas.request import Broadcast, Request
from schemas.vocabulary import Reason
from schemas.vocabulary import Stage as Step
from tables.followers import FOLLOWER_COUNTS, FOLLOWERS
from tables.table import key_of
from tests.agents.harness import (
    PARTITIONS,
    Stage,
    event,
    follow,
    order_shipped,
    unique,
    users_of,
)


def post(actor: str) -> Event:
    """An actor published something."""
    data = {"post_id": "p1", "author_name": "Ann", "text": "hello"}
    return event("post.published", data, actor=actor)


async def counts_of(stage: Stage, followee: str) -> dict[int, int]:
    """The follower counts that a router restores from the changelog alone."""
    await stage.restart(keep_disk=False)
    number = partition_of(followee, PARTITIONS)
    store = open_store(stage.runtime, "router", number, FOLLOWER_COUNTS, FOLLOWERS)
    await store.restore()
    (value,) = store.get_many([FOLLOWER_COUNTS.prefix + key_of("default", followee)])
    store.close()
    return FOLLOWER_COUNTS.decode(value) if value else {}


async def written(stage: Stage) -> list[tuple[str, int, bytes, bytes]]:
    """All that the router wrote, and where."""
    topics = (REQUESTS, BROADCASTS, FOLLOWING)
    records = [record for topic in topics for record in await stage.raw(topic)]
    return [(record.topic, record.partition, record.key, record.value) for record in records]


async def test_an_event_becomes_one_request_for_each_user_in_the_users_partition(
    stage: Stage,
) -> None:
    users = [*users_of(0, 2), *users_of(1, 1)]
    shipped = order_shipped([*users, users[0]])
    await stage.say(EVENTS, shipped)
    await stage.work(stage.router)
    requests = await stage.read(REQUESTS, Request)
    assert sorted(request.user for request in requests) == sorted(users)
    assert {request.event.id for request in requests} == {shipped.id}
    for record in await stage.raw(REQUESTS):
        assert record.partition == partition_of(record.key.decode(), PARTITIONS)


async def test_a_ride_concerns_rider_and_driver_by_a_type_each(stage: Stage) -> None:
    rider, driver = unique("rider"), unique("driver")
    await stage.say(EVENTS, event("ride.matched", {"rider_id": rider, "driver_id": driver}))
    await stage.work(stage.router)
    found = {(request.type, request.user) for request in await stage.read(REQUESTS, Request)}
    assert found == {("ride_matched_rider", rider), ("ride_matched_driver", driver)}


async def test_the_origin_is_where_the_event_stands(stage: Stage) -> None:
    await stage.say(EVENTS, order_shipped(unique("user")))
    await stage.work(stage.router)
    (record,), (request,) = await stage.raw(EVENTS), await stage.read(REQUESTS, Request)
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
    assert [record.partition for record in await stage.raw(BROADCASTS)] == [1]
    assert await stage.raw(OUTBOX) == []
    (broadcast,) = await stage.read(BROADCASTS, Broadcast)
    assert broadcast.event.actor == actor


async def test_nobody_follows_and_nothing_is_written(stage: Stage) -> None:
    await stage.say(EVENTS, post(unique("actor")))
    await stage.work(stage.router)
    assert [await stage.raw(topic) for topic in (BROADCASTS, OUTBOX, DELIVERY_EVENTS)] == [[]] * 3


@pytest.mark.parametrize("followers", [3, 4])
async def test_from_the_threshold_on_the_post_goes_to_the_outbox(
    stage: Stage, followers: int
) -> None:
    actor = unique("actor")
    settings = stage.settings.model_copy(update={"fan_out_threshold": 3})
    stage.runtime = replace(stage.runtime, settings=settings)
    users = [*users_of(0, 2), *users_of(1, followers - 2)]
    await stage.say(FOLLOWS, *(follow(user, actor) for user in users))
    await stage.say(EVENTS, post(actor))
    await stage.work(stage.router)
    assert await stage.raw(BROADCASTS) == []
    (written,) = await stage.read(OUTBOX, Post)
    (told,) = await stage.told()
    assert written.event.actor == told.user == actor
    assert (told.stage, told.reason) == (Step.SUPPRESSED, Reason.FAN_OUT_ON_READ)
    assert told.detail == f"{followers} followers"
    assert told.notification_id == written.notification_id


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
