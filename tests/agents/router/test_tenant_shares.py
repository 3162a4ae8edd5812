"""What a tenant sends beyond its share goes to topics of its own."""

from schemas.request import Broadcast, Request
from schemas.topics import (
    EVENTS,
    REQUESTS,
)
from schemas.vocabulary import Priority
from tests.agents.line import PARTITIONS
from tests.agents.names import unique, users_of
from tests.agents.router.test_agent import router_of, with_share
from tests.agents.samples import event, order_shipped
from tests.agents.stage import Stage


async def test_what_a_tenant_sends_beyond_its_share_goes_to_bulk(stage: Stage) -> None:
    """A hundred at one a second: five were saved up, and 95 seconds are owed."""
    with_share(stage, 1)
    many, (ann,), (bob,), actor = users_of(0, 100), users_of(0, 1), users_of(0, 1), unique("actor")
    flooding, other = unique("tenant"), unique("tenant")
    ride = {"rider_id": ann, "driver_id": ann}
    await stage.say(
        EVENTS,
        order_shipped(many, tenant=flooding, actor=actor),
        order_shipped(ann, tenant=flooding, actor=actor),
        event("ride.matched", ride, tenant=flooding, actor=actor),
        order_shipped(bob, tenant=other, actor=actor),
    )
    await stage.work(stage.router)
    high = await stage.read(REQUESTS[Priority.HIGH], Request)
    bulk = await stage.read(REQUESTS[Priority.BULK], Request)
    assert [request.user for request in high] == [*many, bob]
    assert [request.type for request in bulk] == [
        "order_shipped",
        "ride_matched_rider",
        "ride_matched_driver",
    ]
    assert await stage.raw(REQUESTS[Priority.CRITICAL]) == []
    assert all(request.bulk for request in bulk)
    assert not any(request.bulk for request in high)


async def test_a_broadcast_costs_a_record_a_partition_and_goes_to_bulk_too(stage: Stage) -> None:
    with_share(stage, 1)
    tenant, actor = unique("tenant"), unique("actor")
    types = ("thing", Priority.LOW, 'subscribers = "about"')
    topics = [f"topic-{n}" for n in range(50)]
    said = [
        event("thing.happened", {"about": about}, tenant=tenant, actor=actor)
        for about in (topics, "chess")
    ]
    await stage.say(EVENTS, *said)
    await stage.work(router_of(stage, types))
    bulk = await stage.read(REQUESTS[Priority.BULK], Broadcast)
    assert [(b.followee, b.bulk) for b in bulk] == [("topic:chess", True)] * PARTITIONS
    assert len(await stage.raw(REQUESTS[Priority.LOW])) == 50 * PARTITIONS


async def test_what_a_tenant_owes_survives_the_loss_of_the_disk(stage: Stage) -> None:
    with_share(stage, 1)
    many, tenant, actor = users_of(0, 100), unique("tenant"), unique("actor")
    await stage.say(EVENTS, order_shipped(many, tenant=tenant, actor=actor))
    await stage.work(stage.router)
    await stage.restart(keep_disk=False)
    await stage.say(EVENTS, order_shipped(many[0], tenant=tenant, actor=actor))
    await stage.work(stage.router)
    (late,) = await stage.read(REQUESTS[Priority.BULK], Request)
    assert late.user == many[0]


async def test_an_event_for_nobody_costs_nothing(stage: Stage) -> None:
    with_share(stage, 1)
    tenant, actor, (ann,) = unique("tenant"), unique("actor"), users_of(0, 1)
    nobody = [order_shipped([], tenant=tenant, actor=actor) for _ in range(20)]
    await stage.say(EVENTS, *nobody, order_shipped(ann, tenant=tenant, actor=actor))
    await stage.work(stage.router)
    assert len(await stage.raw(REQUESTS[Priority.HIGH])) == 1
    assert await stage.raw(REQUESTS[Priority.BULK]) == []
