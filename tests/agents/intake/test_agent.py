"""Producers of any kind are heard: records go to the partition of what their value says."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from prometheus_client import REGISTRY

from agents.intake.agent import SOURCES
from pipeline.producing.outputs import partition_of
from pipeline.records.dead_letter_reading import send_again
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.misplaced import Misplaced
from schemas.profile import Preferences
from schemas.request import Origin, Request
from schemas.topics import (
    CANCELLATIONS,
    CONTACTS,
    DEAD_LETTERS,
    DELIVER,
    ERASURES,
    EVENTS,
    FOLLOWS,
    MISPLACED,
    PLACED,
    PREFERENCES,
    REQUESTS,
    TOPICS,
    Topic,
)
from schemas.vocabulary import Channel, Priority, Reason
from tables.unrouted import Unrouted, unrouted_key
from tests.agents.line import PARTITIONS
from tests.agents.names import unique, users_of
from tests.agents.samples import follow, order_shipped, reachable
from tests.agents.stage import Stage
from tests.placements import PLACEMENTS

ORDERS = REQUESTS[Priority.HIGH]
PUSHES = DELIVER[Channel.PUSH, Priority.HIGH]
USERS = 20


async def produce(stage: Stage, placement: str, topic: Topic, *values: Struct) -> None:
    """Write these as a producer of that kind does."""
    for number, value in enumerate(values):
        key = getattr(value, topic.key)
        name, partition = PLACEMENTS[placement](number, key, PARTITIONS)
        await stage.producer.send_and_wait(topic.name, encode(value), name, partition)


async def settle(stage: Stage) -> None:
    """Let everybody work until what was misplaced is where it belongs, and decided."""
    await stage.work(stage.router, stage.decider, stage.intake)
    await stage.work(stage.decider, stage.router, stage.decider)


async def elsewhere(stage: Stage, topic: Topic, *values: Struct, key: str | None = "") -> None:
    """Write these to a partition that is not their key's."""
    for value in values:
        home = partition_of(getattr(value, topic.key), PARTITIONS)
        await stage.say(topic, value, key=key, partition=(home + 1) % PARTITIONS)


@pytest.mark.parametrize("placement", PLACEMENTS)
async def test_everybody_is_reached_once_by_whichever_producer(
    stage: Stage, placement: str
) -> None:
    users = [unique("user") for _ in range(USERS)]
    events = [order_shipped(user, actor=unique("shop")) for user in users]
    await produce(stage, placement, CONTACTS, *map(reachable, users))
    await stage.work(stage.decider, stage.intake, stage.decider)
    await produce(stage, placement, EVENTS, *events)
    await settle(stage)
    pushes = await stage.deliveries(Channel.PUSH)
    assert sorted(each.address for each in pushes) == sorted(f"token-{user}" for user in users)
    assert await stage.raw(MISPLACED), "none was misplaced, so the test shows nothing"
    assert await stage.letters() == []


async def test_a_moved_event_has_the_origin_and_the_acceptance_that_its_producer_was_told(
    stage: Stage,
) -> None:
    said = order_shipped(unique("user"), actor=unique("shop"))
    await elsewhere(stage, EVENTS, said)
    (source,) = await stage.raw(EVENTS)
    await stage.work(stage.router, stage.intake, stage.router)
    (request,) = await stage.read(ORDERS, Request)
    assert request.accepted_at == source.timestamp
    origin = request.origin
    assert (origin.topic, origin.partition, origin.offset) == (
        EVENTS.name,
        source.partition,
        source.offset,
    )


async def test_whoever_repeats_what_was_moved_changes_nothing(stage: Stage) -> None:
    """The user's device was taken out meanwhile; the first record, moved again, must not add it."""
    user = unique("user")
    await elsewhere(stage, CONTACTS, reachable(user))
    await stage.work(stage.decider, stage.intake, stage.decider)
    await elsewhere(stage, CONTACTS, reachable(user, devices=()))
    await stage.work(stage.decider, stage.intake, stage.decider)
    stage.again(CONTACTS, MISPLACED)  # as after crashes of decider and intake
    await stage.work(stage.decider, stage.intake)
    assert len(await stage.raw(PLACED["decider"])) > 2
    for slice_ in await stage.slices(stage.decider, _placed(user)):
        handler = await stage.handler(stage.decider, slice_.partition.partition)
        first = replace(slice_, records=slice_.records[:1], next=slice_.start + 1)
        await handler.handle(first)  # alone, as if the second one were still on its way
    await stage.say(EVENTS, order_shipped(user))
    await stage.work(stage.router, stage.decider)
    assert await stage.deliveries(Channel.PUSH) == []
    assert len(await stage.deliveries(Channel.EMAIL)) == 1


def _placed(user: str) -> Any:
    from aiokafka import TopicPartition

    return TopicPartition(PLACED["decider"].name, partition_of(user, PARTITIONS))


async def test_of_two_producers_the_one_counts_whose_record_was_taken_last(stage: Stage) -> None:
    """The older record is misplaced, and arrives after the newer one was handled."""
    user = unique("user")
    old = reachable(user, email="old@example.com")
    await elsewhere(stage, CONTACTS, old)
    await elsewhere(stage, PREFERENCES, Preferences(user=user, channels={Channel.EMAIL: False}))
    await stage.say(CONTACTS, reachable(user, email="new@example.com"))
    await stage.say(PREFERENCES, Preferences(user=user))
    await stage.work(stage.decider, stage.intake, stage.decider)
    await stage.say(EVENTS, order_shipped(user))
    await stage.work(stage.router, stage.decider)
    (mail,) = await stage.deliveries(Channel.EMAIL)
    assert mail.address == "new@example.com"


async def test_an_erasure_goes_by_when_the_moved_record_was_accepted_first(stage: Stage) -> None:
    user = unique("user")
    await elsewhere(stage, CONTACTS, reachable(user))
    await stage.say(ERASURES, Erasure(user=user))
    await stage.work(stage.decider, stage.intake, stage.decider)
    await stage.say(EVENTS, order_shipped(user))
    await stage.work(stage.router, stage.decider)
    assert await stage.deliveries(Channel.PUSH) == []


@pytest.mark.parametrize("key", [None, "another"])
async def test_a_record_in_the_right_partition_needs_no_key(stage: Stage, key: str | None) -> None:
    user = unique("user")
    await stage.say(CONTACTS, reachable(user), key=key, partition=partition_of(user, PARTITIONS))
    said = order_shipped(user, actor=unique("shop"))
    await stage.say(EVENTS, said, key=key, partition=partition_of(said.actor, PARTITIONS))
    await stage.work(stage.router, stage.decider)
    assert len(await stage.deliveries(Channel.PUSH)) == 1
    assert await stage.raw(MISPLACED) == []


async def test_follows_and_cancellations_are_moved_as_well(stage: Stage) -> None:
    shop, user = unique("shop"), unique("user")
    await elsewhere(stage, FOLLOWS, follow(user, shop))
    await stage.work(stage.router, stage.intake, stage.router)
    (moved,) = await stage.raw(PLACED["router"])
    assert (moved.partition, moved.key) == (partition_of(shop, PARTITIONS), shop.encode())
    (told,) = await stage.raw(_following())
    assert told.key == user.encode()


def _following() -> Topic:
    return next(topic for topic in TOPICS if topic.name == "following")


async def test_a_dead_letter_of_a_moved_record_is_its_source_and_sent_again_it_counts(
    stage: Stage,
) -> None:
    user, shop = unique("user"), unique("shop")
    await stage.say(CONTACTS, reachable(user))
    bad = order_shipped(user, actor=shop, type=unique("unknown"))
    await elsewhere(stage, EVENTS, bad, key="order-7")
    (source,) = await stage.raw(EVENTS)
    await stage.work(stage.router, stage.intake, stage.router)
    (letter,) = await stage.letters()
    assert (letter.reason, letter.role) == (Reason.UNKNOWN_TYPE, "router")
    assert (letter.topic, letter.partition, letter.offset) == (
        EVENTS.name,
        source.partition,
        source.offset,
    )
    assert (letter.key, letter.value) == (b"order-7", source.value)
    mended = msgspec.structs.replace(letter, value=encode(order_shipped(user, actor=shop)))
    assert await send_again(stage.settings, [mended]) == (1, 0)
    await settle(stage)
    assert len(await stage.deliveries(Channel.PUSH)) == 1


def forged(**fields: Any) -> bytes:
    """What somebody writes who knows how records are moved."""
    values = {"topic": "contacts", "partition": 0, "offset": 1, "accepted_at": 1, "value": {}}
    return encode(values | fields)


@pytest.mark.parametrize(
    "value",
    [
        b"{",
        forged(topic="requests.high"),
        forged(topic="nothing"),
        forged(partition=PARTITIONS),
        forged(partition=-1),
        forged(offset=-1),
        forged(value={"user": 7}),
        forged(value={"nobody": "ann"}),
    ],
)
@pytest.mark.parametrize("topic", [MISPLACED, PLACED["router"], PLACED["decider"]])
async def test_what_nobody_moved_is_a_dead_letter_and_its_neighbours_go_on(
    stage: Stage, topic: Topic, value: bytes
) -> None:
    (user,) = users_of(0, 1)
    good = Misplaced(
        topic="contacts" if topic is not PLACED["router"] else "events",
        partition=1,
        offset=1 << 40,
        accepted_at=1 << 40,
        value=msgspec.Raw(encode(reachable(user))),
    )
    await stage.say(topic, value, good, key=None, partition=0)
    await stage.work(stage.intake if topic is MISPLACED else stage.router, stage.decider)
    letters = await stage.letters()
    assert letters and all(each.value for each in letters)


async def test_a_forged_header_says_nothing(stage: Stage) -> None:
    """Only topics that we write ourselves say that a record was moved."""
    user = unique("user")
    home = partition_of(user, PARTITIONS)
    headers = [("topic", b"contacts"), ("partition", b"0"), ("offset", b"9"), ("origin", b"{}")]
    value, name = encode(reachable(user)), user.encode()
    await stage.producer.send_and_wait(CONTACTS.name, value, name, 1 - home, headers=headers)
    await stage.work(stage.decider, stage.intake)
    (moved,) = await stage.read(PLACED["decider"], Misplaced)
    (source,) = await stage.raw(CONTACTS)
    assert (moved.partition, moved.offset) == (source.partition, source.offset)
    assert moved.headers == tuple(headers)


async def test_a_moved_record_is_never_moved_again(stage: Stage) -> None:
    """As it would be where the partition count was changed while it was on its way."""
    (user,) = users_of(0, 1)
    moved = Misplaced(
        topic="contacts",
        partition=1,
        offset=1,
        accepted_at=1,
        value=msgspec.Raw(encode(reachable(user))),
    )
    await stage.say(PLACED["decider"], moved, key=user, partition=1)
    await stage.work(stage.decider, stage.intake, stage.decider)
    (letter,) = await stage.letters()
    assert (letter.reason, letter.topic) == (Reason.KEY_MISMATCH, "contacts")
    assert await stage.raw(MISPLACED) == []


async def test_an_erasure_in_a_wrong_partition_is_told_and_not_moved(stage: Stage) -> None:
    """Several roles read it, and nobody but the API writes it."""
    await elsewhere(stage, ERASURES, Erasure(user=unique("user")))
    await stage.work(stage.decider)
    (letter,) = await stage.letters()
    assert letter.reason is Reason.KEY_MISMATCH
    assert "only Tocsin itself may write to erasures" in letter.detail


async def test_it_is_counted_by_topic_and_partitioner(stage: Stage) -> None:
    before = _moved("contacts", "no key")
    await elsewhere(stage, CONTACTS, reachable(unique("user")), key=None)
    await stage.work(stage.decider, stage.intake)
    assert _moved("contacts", "no key") == before + 1


def _moved(topic: str, partitioner: str) -> float:
    labels = {"topic": topic, "partitioner": partitioner}
    return REGISTRY.get_sample_value("tocsin_moved_records_total", labels) or 0.0


async def test_a_key_too_large_for_a_dead_letter_is_left_behind(stage: Stage) -> None:
    user = unique("user")
    await elsewhere(stage, CONTACTS, reachable(user), key="k" * (1 << 20))
    await stage.work(stage.decider, stage.intake)
    (moved,) = await stage.read(PLACED["decider"], Misplaced)
    assert moved.key is None


def test_events_of_two_partitions_with_one_offset_are_routed_to_the_end_each() -> None:
    said = order_shipped("ann")
    lefts = [Unrouted("t", said, Origin("events", at, 7), at=1, done=2) for at in range(2)]
    assert len({unrouted_key(left, Priority.HIGH) for left in lefts}) == 2


def test_every_topic_that_producers_may_write_is_placed() -> None:
    named = {topic.name for topic in TOPICS if "producers" in topic.written_by.split(", ")}
    assert named <= SOURCES.keys()
    assert {CANCELLATIONS.name, "suppressions"} <= SOURCES.keys()
    assert DEAD_LETTERS.name not in SOURCES
