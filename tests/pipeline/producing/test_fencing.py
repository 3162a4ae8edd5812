"""Who owns a partition, as its leader is told: ids, epochs and numbers in batches on the wire."""

import asyncio
import struct
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from aiokafka import errors

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.topic_reading import read_topic
from pipeline.producing.fencing import (
    LARGEST_SEQUENCE,
    OPENED,
    OWNER,
    InitProducerId,
    Owner,
    new_owner,
    transactional_id,
)
from pipeline.producing.producer import Producer, start_producer
from pipeline.settings import Settings
from schemas.errors import Fenced, Unavailable
from schemas.topics import Topic
from tests.kafka_proxy import PRODUCE, KafkaProxy, of, proxy_to
from tests.patience import ended, until
from tests.virtual_time import in_virtual_time, now

WHO = struct.Struct(">qhii")
WHO_AT = 43
"""Where a batch says its producer id, epoch, first sequence number and count of records."""
numbers = count()


class Wire:
    """A fresh changelog topic, and a producer whose batches are seen as they are sent."""

    def __init__(self, topic: str, producer: Producer, proxy: KafkaProxy) -> None:
        self.topic = topic
        self.producer = producer
        self.proxy = proxy
        self.failures: list[BaseException] = []
        self.sent: list[tuple[str, tuple[int, int, int, int]]] = []
        """By topic: producer id, epoch, first sequence number and records of each batch."""
        producer._fail = self.failures.append
        send = producer.client.send

        async def seen(node: int, request: object, **options: object) -> object:
            for topic, parts in getattr(request, "_topics", ()):
                self.sent += [(topic, WHO.unpack_from(part[1], WHO_AT)) for part in parts]
            return await send(node, request, **options)

        producer.client.send = seen

    async def write(self, *values: bytes, topic: str = "") -> int:
        """Write to partition 0."""
        return await self.producer.write(topic or self.topic, 0, [(b"k", v) for v in values])

    async def values(self) -> list[bytes | None]:
        """All that is in the topic, but for what owners begin with."""
        records = [record async for record in read_topic(self.proxy.address, self.topic)]
        return [record.value for record in records if record.key != OPENED]

    def owners(self) -> list[tuple[int, int, int]]:
        """Epoch, first sequence number and records of each batch that went to the changelog."""
        return [tuple(who[1:]) for topic, who in self.sent if topic == self.topic]  # type: ignore[misc]


@pytest.fixture
async def wire(kafka: Kafka) -> AsyncIterator[Wire]:
    name = f"wire{next(numbers)}-changelog"
    topics = [
        Topic(name=each, key="k", written_by="", read_by="") for each in (name, f"{name}-out")
    ]
    await create_topics(Settings(kafka=kafka.address, partitions=1), topics)
    async with proxy_to(kafka.port) as proxy:
        producer = await start_producer(proxy.address)
        yield Wire(name, producer, proxy)
        proxy.let_go()
        await producer.stop()


@pytest.fixture
async def other(kafka: Kafka) -> AsyncIterator[Producer]:
    producer = await start_producer(kafka.address)
    yield producer
    await producer.stop()


def test_an_id_names_the_role_and_the_partition() -> None:
    assert transactional_id("decider-changelog", 7) == "tocsin-decider-7"


def test_sequence_numbers_go_on_from_zero_behind_the_largest() -> None:
    owner = Owner(1, 1, sequence=LARGEST_SEQUENCE - 1)
    assert [owner.take(3), owner.take(1)] == [LARGEST_SEQUENCE - 1, 1]


async def test_batches_to_a_changelog_bear_its_owner_and_are_numbered_through(wire: Wire) -> None:
    assert await wire.producer.open(wire.topic, 0) == 0
    assert await wire.write(b"one", b"two") == 3
    await wire.write(b"out", topic=f"{wire.topic}-out")
    assert await wire.write(b"three") == 4
    assert wire.owners() == [(0, 0, 1), (0, 1, 2), (0, 3, 1)]
    changelog = {who[0] for topic, who in wire.sent if topic == wire.topic}
    others = {who for topic, who in wire.sent if topic != wire.topic}
    own = wire.producer._txn_manager
    assert others == {(own.producer_id, own.producer_epoch, 0, 1)}
    assert len(changelog) == 1 and own.producer_id not in changelog
    first = await anext(read_topic(wire.proxy.address, wire.topic))
    assert first.key == OPENED
    assert OWNER.unpack(first.value) == (*changelog, 0)


async def test_each_opening_has_the_next_epoch_and_begins_to_count_anew(wire: Wire) -> None:
    for begin in (0, 2):
        assert await wire.producer.open(wire.topic, 0) == begin
        await wire.write(b"x")
    assert wire.owners() == [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1)]


async def test_a_batch_whose_acknowledgement_is_lost_is_sent_again_and_stored_once(
    wire: Wire,
) -> None:
    await wire.producer.open(wire.topic, 0)
    wire.proxy.loses = of(PRODUCE)
    assert await ended(wire.write(b"once", b"only")) == 3
    assert wire.proxy.lost == 1
    assert await wire.write(b"more") == 4
    assert wire.owners() == [(0, 0, 1), (0, 1, 2), (0, 1, 2), (0, 3, 1)]
    assert await wire.values() == [b"once", b"only", b"more"]


async def test_renewed_the_id_has_a_new_epoch_and_writes_go_on(wire: Wire) -> None:
    await wire.producer.open(wire.topic, 0)
    await wire.write(b"before")
    await wire.producer.renew()
    await wire.write(b"after")
    assert wire.owners() == [(0, 0, 1), (0, 1, 1), (1, 0, 1)]
    assert await wire.values() == [b"before", b"after"]


async def test_who_was_taken_over_cant_renew_and_so_take_back(wire: Wire, other: Producer) -> None:
    """Its state lacks what the successor wrote."""
    await wire.producer.open(wire.topic, 0)
    await other.open(wire.topic, 0)
    with pytest.raises(Fenced):
        await wire.producer.renew()
    await other.write(wire.topic, 0, [(b"k", b"successor's")])
    assert await wire.values() == [b"successor's"]


async def test_what_was_released_is_renewed_no_more(wire: Wire, other: Producer) -> None:
    await wire.producer.open(wire.topic, 0)
    wire.producer.release(wire.topic, 0)
    await other.open(wire.topic, 0)
    await wire.producer.renew()
    assert not wire.failures


async def test_a_former_owner_under_another_id_is_waited_for(
    wire: Wire, other: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id was forgotten, so its writes are not refused: what comes late must come before."""
    await other.write(wire.topic, 0, [(b"k", b"former")])

    async def late(topic: str, partition: int) -> None:
        await other.write(topic, partition, [(b"k", b"late")])

    monkeypatch.setattr(wire.producer, "_outwait", late)
    assert await wire.producer.open(wire.topic, 0) == 1
    records = [record async for record in read_topic(wire.proxy.address, wire.topic)]
    assert [r.value for r in records if r.key != OPENED] == [b"former", b"late"]
    assert records[-1].key == OPENED
    monkeypatch.setattr(wire.producer, "_outwait", None)
    await wire.producer.open(wire.topic, 0)


async def test_what_isnt_acknowledged_in_time_ends_the_process_though_nobody_waits_for_it(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would try for ever, and a cancelled lane awaits nothing any more."""
    await wire.producer.open(wire.topic, 0)
    for topic in (wire.topic, f"{wire.topic}-out"):
        wire.failures.clear()
        await wire.write(b"first", topic=topic)  # or it is forgotten before it can be sent at all
        wire.proxy.hold(of(PRODUCE))
        monkeypatch.setattr("pipeline.producing.producer.DELIVERY_SECONDS", 0.2)
        writing = asyncio.create_task(wire.write(b"slow", topic=topic))
        await asyncio.sleep(0)
        writing.cancel()
        await until(lambda: bool(wire.failures))
        (failure,) = wire.failures
        assert isinstance(failure, Unavailable)
        assert f"to {topic}-0; it may have been stored or not" in str(failure)
        wire.proxy.let_go()
        await wire.producer.flush()
        monkeypatch.undo()


async def test_an_id_that_kafka_does_not_answer_for_is_one_sentence(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.producing.fencing.ANSWER_SECONDS", 0.2)
    wire.proxy.hold(lambda key, body: key == 22)
    with pytest.raises(Unavailable, match=rf"who owns {wire.topic}-0\. Nothing was written"):
        await wire.producer.open(wire.topic, 0)


@pytest.mark.parametrize("code", [14, 15, 16, 51])
async def test_an_id_that_kafka_has_no_answer_for_yet_is_asked_for_again(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A coordinator that loads, moves, is unknown, or ends what the last owner began: by KIP-98."""
    send, answers = wire.producer.client.send, [code, code]

    async def answer_late(node: int, request: Any, **options: Any) -> Any:
        answer = await send(node, request, **options)
        if isinstance(request, InitProducerId) and answers:
            answer.error_code = answers.pop()
        return answer

    monkeypatch.setattr(wire.producer.client, "send", answer_late)
    await wire.producer.open(wire.topic, 0)
    assert not answers


async def test_another_refusal_of_an_id_is_one_sentence(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = wire.producer.client.send

    async def refuse(node: int, request: Any, **options: Any) -> Any:
        answer = await send(node, request, **options)
        if isinstance(request, InitProducerId):
            answer.error_code = errors.InvalidTransactionTimeout.errno
        return answer

    monkeypatch.setattr(wire.producer.client, "send", refuse)
    with pytest.raises(Unavailable, match="InvalidTransactionTimeout"):
        await wire.producer.open(wire.topic, 0)


async def test_an_id_of_ones_own_is_nobody_elses_and_as_new_as_can_be(kafka: Kafka) -> None:
    producer = await start_producer(kafka.address)
    first, second = await new_owner(producer.client), await new_owner(producer.client)
    await producer.stop()
    assert first.producer_id != second.producer_id
    assert (first.epoch, first.sequence, second.epoch) == (0, 0, 0)


@in_virtual_time
async def test_what_is_open_is_renewed_once_a_day_for_as_long_as_the_process_runs() -> None:
    """Kafka forgets an owner after a week in which nobody asked."""

    class Days(Producer):
        async def renew(self) -> None:
            renewed.append(now() / 86_400)

    renewed: list[float] = []
    renewing = asyncio.create_task(Days.renew_owners(Days.__new__(Days)))
    await asyncio.sleep(3.5 * 86_400)
    assert renewed == [1, 2, 3]
    renewing.cancel()
    await asyncio.wait([renewing])
    assert renewing.cancelled()
