"""The oracle is Kafka's broker, which counts requests and sends what a session asks for."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4, FetchRequest_v11

from embedded.kafka import Kafka
from pipeline.consuming import fetch_sessions
from pipeline.consuming.fetch_planning import plan_when_possible
from pipeline.consuming.fetch_requests import Changes, Wanted
from pipeline.consuming.fetch_sessions import LAST_EPOCH, FetchSession, _note, answer_of
from pipeline.consuming.received import NOTHING, Answer
from pipeline.kafka.clients import administrator, new_client, new_consumer
from tests.patience import in_time, until

PARTITIONS = 12


class Sent(NamedTuple):
    """A fetch as it went out."""

    session: int
    epoch: int
    named: int
    forgotten: int


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """All fetches in sessions."""
    sent: list[Sent] = []
    build = Changes.build

    def note(changes: Changes, struct: Any) -> Any:
        request = build(changes, struct)
        named, forgotten = (
            sum(len(partitions) for _, partitions in topics)
            for topics in (request.topics, request.forgotten_topics_data)
        )
        sent.append(Sent(request.session_id, request.session_epoch, named, forgotten))
        return request

    monkeypatch.setattr(Changes, "build", note)
    return sent


@pytest.fixture
async def partitions(kafka: Kafka) -> list[TopicPartition]:
    """A topic of its own."""
    topic = f"sessions-{uuid4().hex[:8]}"
    async with administrator(kafka.address) as admin:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    return [TopicPartition(topic, number) for number in range(PARTITIONS)]


@pytest.fixture
async def producer(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    async with new_client(AIOKafkaProducer, kafka.address) as producer:
        yield producer


@pytest.fixture(params=["planned by the client", "planned"])
async def consumer(
    kafka: Kafka, partitions: list[TopicPartition], request: pytest.FixtureRequest
) -> AsyncIterator[AIOKafkaConsumer]:
    """It stands at the start of every partition."""
    async with new_consumer(kafka.address) as consumer:
        if request.param == "planned":
            plan_when_possible(consumer)
        consumer.assign(partitions)
        yield consumer


async def write(producer: AIOKafkaProducer, tp: TopicPartition, count: int = 1) -> None:
    for _ in range(count):
        await producer.send_and_wait(tp.topic, b"value", partition=tp.partition)


class Reader:
    """Takes what a consumer gives, which must be the next record of its partition each time."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self.consumer = consumer
        self.at = Counter[TopicPartition]()

    async def take(self, *wanted: TopicPartition) -> None:
        for tp, records in (await self.consumer.getmany(*wanted, timeout_ms=50)).items():
            assert [each.offset for each in records] == [
                self.at[tp] + count for count in range(len(records))
            ]
            self.at[tp] += len(records)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.consumer.seek(tp, offset)
        self.at[tp] = offset

    async def take_all(self, ends: Counter[TopicPartition]) -> None:
        async with in_time():
            while any(self.at[tp] < end for tp, end in ends.items()):
                await self.take()


async def test_only_what_has_changed_is_named(
    consumer: AIOKafkaConsumer,
    producer: AIOKafkaProducer,
    partitions: list[TopicPartition],
    sent: list[Sent],
) -> None:
    reader, ends = Reader(consumer), Counter[TopicPartition]()
    for tp in partitions * 2:
        await write(producer, tp)
        ends[tp] += 1
        await reader.take_all(ends)
    session = sent[-1].session
    assert session != 0
    numbered = [one for one in sent if one.session == session]
    assert [one.epoch for one in numbered] == list(range(1, len(numbered) + 1))
    # Of 24 records each moves one position; nothing else is worth a word.
    assert sum(one.named for one in numbered) <= 24
    assert all(one.named <= 2 for one in numbered)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_sought_paused_and_left_for_later_each_record_comes_in_its_place(
    consumer: AIOKafkaConsumer,
    producer: AIOKafkaProducer,
    partitions: list[TopicPartition],
    seed: int,
    sent: list[Sent],
) -> None:
    """A partition left in a session goes on being sent from where it stood; see the public report
    https://github.com/platformatic/kafka/pull/321. One whose new position is not told is sent from
    the old one: https://github.com/dpkp/kafka-python/issues/2575.
    """
    chance = random.Random(seed)
    reader, ends = Reader(consumer), Counter[TopicPartition]()

    async def read_some() -> None:
        await reader.take(*chance.sample(partitions, chance.randint(1, PARTITIONS)))

    async def write_some() -> None:
        tp = chance.choice(partitions)
        await write(producer, tp, count := chance.randint(1, 3))
        ends[tp] += count

    async def seek() -> None:
        tp = chance.choice(partitions)
        reader.seek(tp, chance.randint(0, ends[tp]))

    async def pause() -> None:
        paused = chance.sample(partitions, 2)
        consumer.pause(*paused)
        await read_some()
        consumer.resume(*paused)

    for _ in range(80):
        await chance.choice((read_some, read_some, write_some, write_some, seek, pause))()
    await reader.take_all(ends)
    assert reader.at == ends
    assert any(one.forgotten for one in sent)


@pytest.mark.parametrize(
    "spoil",
    [lambda sent: sent._replace(session=sent.session + 1), lambda sent: sent._replace(epoch=99)],
    ids=["a session that it does not have", "another request than the next one"],
)
async def test_what_the_broker_refuses_is_asked_for_anew(
    consumer: AIOKafkaConsumer,
    producer: AIOKafkaProducer,
    partitions: list[TopicPartition],
    sent: list[Sent],
    spoil: Callable[[Sent], Sent],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader(consumer)
    await write(producer, partitions[0])
    await reader.take_all(Counter({partitions[0]: 1}))
    await until(lambda: sent[-1].epoch > 1)
    build = Changes.build
    spoiled: list[int] = []

    def spoil_once(changes: Changes, struct: Any) -> Any:
        request = build(changes, struct)
        if not spoiled:
            spoiled.append(len(sent))
            request.session_id, request.session_epoch, *_ = spoil(sent[-1])
        return request

    monkeypatch.setattr(Changes, "build", spoil_once)
    await until(lambda: bool(spoiled))
    await write(producer, partitions[1])
    await reader.take_all(Counter({partitions[0]: 1, partitions[1]: 1}))
    after = sent[spoiled[0] :]
    assert (after[0].epoch, after[0].named) == (0, PARTITIONS)
    await until(lambda: sent[-1].epoch > 1)


async def test_where_a_log_ends_is_known_though_its_position_moved_while_it_was_told(
    kafka: Kafka,
    producer: AIOKafkaProducer,
    partitions: list[TopicPartition],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broker tells it once; the client leaves an answer for another position unread."""
    tp = partitions[0]
    await write(producer, tp, 3)
    send = AIOKafkaClient.send
    moved: list[AIOKafkaConsumer] = []

    async def seek_meanwhile(
        client: AIOKafkaClient, node: int, request: Any, **options: Any
    ) -> Any:
        response = await send(client, node, request, **options)
        if isinstance(request, FetchRequest) and not moved:
            reading.seek(tp, 3)
            moved.append(reading)
        return response

    monkeypatch.setattr(AIOKafkaClient, "send", seek_meanwhile)
    async with new_consumer(kafka.address) as reading:
        reading.assign(partitions)
        await until(lambda: bool(moved))
        state = reading._subscription.subscription.assignment.state_value(tp)
        await until(lambda: answer_of(state) is not NOTHING)
        assert (state.highwater, state.lso) == (3, 3)


async def test_each_answer_counts_for_all_partitions_that_it_does_not_name(
    consumer: AIOKafkaConsumer,
    producer: AIOKafkaProducer,
    partitions: list[TopicPartition],
    sent: list[Sent],
) -> None:
    states = [consumer._subscription.subscription.assignment.state_value(tp) for tp in partitions]
    await until(lambda: len(sent) > 2 and all(state.lso == 0 for state in states))
    known = answer_of(states[1])
    await write(producer, partitions[0])
    await Reader(consumer).take_all(Counter({partitions[0]: 1}))
    await until(lambda: answer_of(states[1]).at > known.at)
    assert answer_of(states[1]) == answer_of(states[2])
    assert answer_of(states[1]).broker == 1


async def test_an_answer_that_is_an_error_tells_nothing_of_its_partition() -> None:
    first, second = TopicPartition("topic", 0), TopicPartition("topic", 1)
    states = Assignment([first, second])
    for tp in (first, second):
        states.state_value(tp).seek(7)
    consumer = SimpleNamespace(
        _subscription=SimpleNamespace(subscription=SimpleNamespace(assignment=states))
    )
    refused, told = (1, 6, -1, -1, 0, b""), (0, 0, 9, 8, 0, b"")
    response = SimpleNamespace(topics=[("topic", [refused, told])])
    wanted = Wanted([first, second], [7, 7], 100)
    _note(consumer, response, wanted, Answer(5, 1))
    assert answer_of(states.state_value(second)) is NOTHING
    assert (states.state_value(second).highwater, states.state_value(second).lso) == (None, None)
    assert answer_of(states.state_value(first)) == Answer(5, 1)
    assert (states.state_value(first).highwater, states.state_value(first).lso) == (9, 8)


async def test_an_answer_for_another_position_tells_where_the_log_ends_and_no_more() -> None:
    tp = TopicPartition("topic", 0)
    states = Assignment([tp])
    states.state_value(tp).seek(8)
    consumer = SimpleNamespace(
        _subscription=SimpleNamespace(subscription=SimpleNamespace(assignment=states))
    )
    response = SimpleNamespace(topics=[("topic", [(0, 0, 9, 9, 0, b"")])])
    _note(consumer, response, Wanted([tp], [7], 100), Answer(5, 1))
    assert states.state_value(tp).lso == 9
    assert answer_of(states.state_value(tp)) is NOTHING


def whole(*offsets: int, topic: str = "topic") -> FetchRequest:
    partitions = [(number, offset, 100) for number, offset in enumerate(offsets)]
    return FetchRequest(500, 1, 1000, 1, [(topic, partitions)])


def answer(session: int = 5, error: int = 0) -> Any:
    return SimpleNamespace(API_VERSION=11, error_code=error, session_id=session, topics=[])


def form_of(request: FetchRequest) -> Any:
    return request.build(FetchRequest_v11)


MANY = (0,) * fetch_sessions.LEAST_PARTITIONS


def test_a_new_assignment_is_named_whole_as_the_client_has_forgotten_what_it_was_told() -> None:
    session, first, second = FetchSession(), object(), object()
    session.next(whole(*MANY), first)
    session.heed(answer())
    assert form_of(session.next(whole(*MANY), first)).topics == []
    session.heed(answer())
    again = form_of(session.next(whole(*MANY), second))
    assert (again.session_id, again.session_epoch) == (5, 0)
    assert again.topics == form_of(whole(*MANY)).topics


def test_an_answer_that_never_came_may_have_been_counted_so_all_is_named() -> None:
    session = FetchSession()
    session.next(whole(*MANY))
    session.heed(answer())
    session.next(whole(*MANY))
    session.begin_anew()
    again = form_of(session.next(whole(*MANY)))
    assert (again.session_id, again.session_epoch, len(again.topics[0][1])) == (5, 0, len(MANY))


def test_a_broker_without_room_for_a_session_is_asked_for_all_each_time() -> None:
    session = FetchSession()
    for _ in range(2):
        request = form_of(session.next(whole(*MANY)))
        assert (request.session_id, request.session_epoch) == (0, 0)
        assert len(request.topics[0][1]) == len(MANY)
        assert len(session.heed(answer(session=0)).places) == len(MANY)


def test_a_refusal_tells_nothing_of_any_partition() -> None:
    session = FetchSession()
    session.next(whole(*MANY))
    assert not session.heed(answer(session=0, error=70)).places


def test_few_partitions_take_no_place_among_the_sessions_of_a_broker() -> None:
    few = whole(*MANY[1:])
    assert FetchSession().next(few) is few


def test_a_session_with_many_goes_on_when_few_are_left_of_it() -> None:
    session = FetchSession()
    session.next(whole(*MANY))
    session.heed(answer())
    request = form_of(session.next(whole(0, 7)))
    assert request.topics == [("topic", [(1, -1, 7, -1, 100)])]
    [(topic, forgotten)] = request.forgotten_topics_data
    assert (topic, sorted(forgotten)) == ("topic", list(range(2, len(MANY))))


def test_a_broker_that_knows_no_sessions_is_asked_as_before() -> None:
    request = whole(*MANY)
    asked = FetchSession().next(request)
    assert asked.build(FetchRequest_v4).encode() == request.build(FetchRequest_v4).encode()


def test_the_number_after_the_last_one_is_the_first_of_a_session_that_goes_on() -> None:
    session = FetchSession()
    session.next(whole(*MANY))
    session.heed(answer())
    session._epoch = LAST_EPOCH
    assert form_of(session.next(whole(*MANY))).session_epoch == LAST_EPOCH
    session.heed(answer())
    assert form_of(session.next(whole(*MANY))).session_epoch == 1
