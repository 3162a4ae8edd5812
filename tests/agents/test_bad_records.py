"""Records that nobody can use: told with reason and place, their neighbours untouched."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import islice
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer as KafkaProducer

from pipeline.processing.decoder import LARGEST_VALUE, WINDOW
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer, start_producer
from pipeline.records.dead_letter_reading import send_again
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.errors import TooManyBadRecords
from schemas.request import Broadcast, Origin, Request
from schemas.topics import (
    CONTACTS,
    DEAD_LETTERS,
    ERASURES,
    EVENTS,
    FOLLOWING,
    REQUESTS,
)
from schemas.vocabulary import Priority, Reason
from tests.agents.line import PARTITIONS
from tests.agents.names import unique, users_of
from tests.agents.samples import event, follow, order_shipped, reachable
from tests.agents.stage import Stage

(ACTOR,) = users_of(0, 1)
ORDERS = REQUESTS[Priority.HIGH]


def raw(**fields: Any) -> bytes:
    """An event as JSON, with fields set, or left out where they are None."""
    values = msgspec.to_builtins(order_shipped("user", actor=ACTOR)) | fields
    return encode({name: value for name, value in values.items() if value is not None})


BAD: dict[str, tuple[bytes | None, str | None, Reason]] = {
    "no JSON": (b"{nope", ACTOR, Reason.UNDECODABLE),
    "half of it": (raw()[:40], ACTOR, Reason.UNDECODABLE),
    "nothing": (b"", ACTOR, Reason.UNDECODABLE),
    "a tombstone": (None, ACTOR, Reason.UNDECODABLE),
    "not UTF-8": (raw().replace(b"DHL", b"\xff\xfe"), ACTOR, Reason.UNDECODABLE),
    "too deep": (raw().replace(b'"DHL"', b"[" * 5000), ACTOR, Reason.UNDECODABLE),
    "a missing field": (raw(occurred_at=None), ACTOR, Reason.INVALID),
    "a field of another type": (raw(id=7), ACTOR, Reason.INVALID),
    "a time without a zone": (raw(occurred_at="2026-01-01T00:00:00"), ACTOR, Reason.INVALID),
    "an empty name": (raw(tenant=""), ACTOR, Reason.INVALID),
    "no recipient": (raw(data={"order_id": "1"}), ACTOR, Reason.INVALID),
    "an unknown type": (raw(type="order.eaten"), ACTOR, Reason.UNKNOWN_TYPE),
    "over a mebibyte": (raw(data={"x": "y" * LARGEST_VALUE}), ACTOR, Reason.TOO_LARGE),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_record_is_a_dead_letter_and_its_neighbours_go_on(
    stage: Stage, name: str
) -> None:
    value, key, reason = BAD[name]
    users = [unique("user"), unique("user")]
    before, after = (order_shipped(user, actor=ACTOR) for user in users)
    for said, at in ((before, ""), (value, key), (after, "")):
        await stage.say(EVENTS, said, key=at, partition=0)
    await stage.work(stage.router)
    source = (await stage.raw(EVENTS))[1]
    (letter,) = await stage.letters()
    assert letter.reason is reason
    assert letter.detail
    assert (letter.role, letter.topic) == ("router", EVENTS.name)
    assert (letter.partition, letter.offset) == (source.partition, source.offset)
    assert letter.key == source.key
    assert letter.truncated == (reason is Reason.TOO_LARGE)
    assert value == letter.value or (letter.truncated and value.startswith(letter.value or b"-"))  # type: ignore[union-attr]
    assert {request.user for request in await stage.read(ORDERS, Request)} == set(users)


async def test_a_dead_letter_keeps_headers_and_is_the_same_after_a_replay(stage: Stage) -> None:
    await stage.producer.send_and_wait(
        EVENTS.name, b"{", b"k", 0, headers=[("trace", b"\xff1"), ("empty", b"")]
    )
    await stage.work(stage.router)
    stage.again(EVENTS)
    await stage.work(stage.router)
    first, second = await stage.letters()
    assert first.headers == (("trace", b"\xff1"), ("empty", b""))
    assert first.id == second.id


@pytest.fixture
async def own_producer(stage: Stage) -> AsyncIterator[Producer]:
    """A producer that may be refused something: an idempotent one is of no use after that."""
    producer = await start_producer(stage.settings.kafka)
    stage.runtime = replace(stage.runtime, producer=producer)
    yield producer
    await stage.restart()
    await producer.stop()


@pytest.mark.parametrize("size", [400 << 10, 3 << 20])
async def test_a_huge_key_does_not_stop_the_worker(
    stage: Stage, own_producer: Producer, size: int
) -> None:
    """A dead letter must fit into its topic, whatever the record was."""
    user = unique("user")
    await own_producer.send_and_wait(EVENTS.name, b"{", b"\xff" * size, 0)
    await stage.say(EVENTS, order_shipped(user, actor=ACTOR))
    await stage.work(stage.router)
    (letter,) = await stage.letters()
    assert letter.reason is Reason.UNDECODABLE
    assert letter.truncated
    assert [request.user for request in await stage.read(ORDERS, Request)] == [user]


async def test_a_batch_that_is_huge_when_unpacked_is_one_letter(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten kilobytes of it may stand for gigabytes."""
    monkeypatch.setattr("pipeline.kafka.decompression.MOST_BYTES", 1 << 20)
    user = unique("user")
    packing = KafkaProducer(
        {"bootstrap.servers": stage.settings.kafka, "compression.type": "zstd", "linger.ms": 500}
        | {"message.max.bytes": 8 << 20, "batch.size": 8 << 20}
    )
    for _ in range(3):
        packing.produce(EVENTS.name, bytes(1 << 20), partition=0)
    assert await asyncio.to_thread(packing.flush, 60) == 0
    await stage.say(EVENTS, order_shipped(user, actor=ACTOR))
    await stage.work(stage.router)
    (letter,) = await stage.letters()
    assert (letter.reason, letter.detail) == (
        Reason.TOO_LARGE,
        f"offsets {letter.offset - 2} to {letter.offset} are one batch of over 1048576 bytes when "
        "it is unpacked; none of them was read",
    )
    assert await send_again(stage.settings, [letter]) == (0, 1)
    assert [request.user for request in await stage.read(ORDERS, Request)] == [user]


@pytest.mark.parametrize("key", [None, "another"])
async def test_what_we_write_ourselves_counts_nowhere_under_a_wrong_key(
    stage: Stage, key: str | None
) -> None:
    # Theirs is that partition, so that nothing but the key is wrong.
    names = (unique("user") for _ in range(1000))
    user, other = islice((each for each in names if partition_of(each, PARTITIONS) == 0), 2)
    await stage.say(FOLLOWING, follow(user, unique("actor")), key=key, partition=0)
    await stage.say(ERASURES, Erasure(user=other), key=key, partition=0)
    await stage.work(stage.decider)
    found = {(letter.topic, letter.reason) for letter in await stage.letters()}
    reason = Reason.KEY_MISMATCH if key else Reason.MISSING_KEY
    assert found == {(FOLLOWING.name, reason), (ERASURES.name, reason)}


@pytest.mark.parametrize(
    ("struct", "kind", "reason"),
    [
        (Request, "order_eaten", Reason.UNKNOWN_TYPE),
        (Broadcast, "order_eaten", Reason.UNKNOWN_TYPE),
        (Request, "order_shipped", Reason.RENDER_FAILED),
    ],
    ids=["request of an unknown type", "broadcast of an unknown type", "template lacks a value"],
)
async def test_the_decider_sets_aside_what_it_cant_decide(
    stage: Stage, struct: type[Request | Broadcast], kind: str, reason: Reason
) -> None:
    actor, (user, neighbour) = unique("actor"), users_of(0, 2)
    await stage.say(CONTACTS, reachable(user), reachable(neighbour))
    await stage.say(FOLLOWING, follow(user, actor))
    origin = Origin("events", 0, 1)
    empty = event("order.shipped", {}, actor=actor)
    good = Request(
        type="order_shipped",
        user=neighbour,
        event=order_shipped(neighbour),
        origin=origin,
        accepted_at=stage.clock.now(),
    )
    fields: dict[str, Any] = {"type": kind, "event": empty, "origin": origin}
    bad: Request | Broadcast = (
        Request(user=user, accepted_at=stage.clock.now(), **fields)
        if struct is Request
        else Broadcast(accepted_at=stage.clock.now(), **fields)
    )
    await stage.say(ORDERS, bad, partition=0)
    await stage.say(ORDERS, good)
    await stage.work(stage.decider)
    (letter,) = await stage.letters()
    assert (letter.role, letter.topic, letter.reason) == ("decider", ORDERS.name, reason)
    assert {told.user for told in await stage.told()} == {neighbour}


@pytest.mark.parametrize(("bad", "stops"), [(100, False), (101, True)])
async def test_a_broken_producer_stops_the_worker_with_nothing_acknowledged(
    stage: Stage, bad: int, stops: bool
) -> None:
    good = [order_shipped(unique("user"), actor=ACTOR) for _ in range(WINDOW - bad)]
    await stage.say(EVENTS, *good)
    await stage.say(EVENTS, *([b"{"] * bad), partition=0, key="k")
    if not stops:
        await stage.work(stage.router)
        assert len(await stage.letters()) == bad
        return
    with pytest.raises(TooManyBadRecords, match=f"{bad} of the last {WINDOW} .*TOCSIN_BAD_SHARE"):
        await stage.work(stage.router)
    assert await stage.raw(DEAD_LETTERS) == []
    assert await stage.raw(ORDERS) == []
    assert not stage.done
