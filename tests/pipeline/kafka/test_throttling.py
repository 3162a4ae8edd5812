"""Quotas of a real broker: what it asks us to leave unsent is not sent, and nothing is lost."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import administrator, new_client, new_consumer
from pipeline.kafka.throttling import _note, pause_left
from pipeline.monitoring.metrics import KAFKA_THROTTLED
from pipeline.producing.producer import BATCH_BYTES, REQUEST_BYTES, Producer
from pipeline.producing.write_queue import Submission
from pipeline.settings import Settings
from schemas.topics import Topic
from tests.agents.names import unique

TEXT = String("utf-8")
RATE = 10_000
"""Bytes a second that the broker allows, over ten seconds."""
TOO_MUCH = random.Random(1).randbytes(115_000)
"""For which it asks for a pause of about a second and a half, also if it is compressed."""


class AlterClientQuotasResponse_v0(Response):  # noqa: N801
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "entries",
            Array(
                ("error_code", Int16),
                ("error_message", TEXT),
                ("entity", Array(("type", TEXT), ("name", TEXT))),
            ),
        ),
    )


class AlterClientQuotasRequest_v0(RequestStruct):  # noqa: N801
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = AlterClientQuotasResponse_v0
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", Array(("type", TEXT), ("name", TEXT))),
                ("ops", Array(("key", TEXT), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class AlterClientQuotas(Request[AlterClientQuotasRequest_v0]):
    """As Kafka's own admin client asks for it: `kafka-configs.sh --entity-type clients`."""

    API_KEY = 49
    ALLOW_UNKNOWN_API_VERSION = True

    def __init__(self, client: str, quota: str, rate: float) -> None:
        self._entry = ([("client-id", client)], [(quota, rate, False)])

    def build(self, kind: type[AlterClientQuotasRequest_v0]) -> AlterClientQuotasRequest_v0:
        return kind([self._entry], False)


async def allow(kafka: Kafka, client: str, quota: str) -> None:
    """Give a client id a quota of RATE."""
    async with administrator(kafka.address) as admin:
        node = admin._client.get_random_node()
        answer = await admin._client.send(node, AlterClientQuotas(client, quota, RATE))
    assert [entry[0] for entry in answer.entries] == [0]


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    name = unique("throttled")
    topic = Topic(name=name, key="", written_by="", read_by="")
    await create_topics(Settings(kafka=kafka.address, partitions=1), [topic])
    return name


@pytest.fixture
async def producer(kafka: Kafka) -> AsyncIterator[Producer]:
    """One with a client id, and so a quota, of its own."""
    name = unique("slow")
    await allow(kafka, name, "producer_byte_rate")
    producer = new_client(
        Producer,
        kafka.address,
        client_id=name,
        max_batch_size=BATCH_BYTES,
        max_request_size=REQUEST_BYTES,
    )
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, Any]]:
    """When each request really left."""
    found: list[tuple[float, Any]] = []
    send = AIOKafkaConnection.send

    def noting(connection: Any, request: Any, *args: Any, **options: Any) -> Awaitable[Any]:
        found.append((time.monotonic(), request))
        answer: Awaitable[Any] = send(connection, request, *args, **options)
        return answer

    monkeypatch.setattr(AIOKafkaConnection, "send", noting)
    return found


def counted(api: str) -> float:
    value: float = KAFKA_THROTTLED.labels(api)._value.get()
    return value


async def test_nothing_is_sent_in_a_pause_and_a_write_outlasts_it(
    topic: str, producer: Producer, sent: list[tuple[float, Any]]
) -> None:
    before = counted("Produce")
    assert await producer.write(topic, 0, [(None, TOO_MUCH)]) == 1
    (leader,) = (each.nodeId for each in producer.client.cluster.brokers())
    left, now = pause_left(producer.client, leader), time.monotonic()
    assert left > 0
    assert counted("Produce") - before >= left
    sent.clear()
    later = asyncio.create_task(producer.write(topic, 0, [(None, b"later")]))
    await asyncio.sleep(0)
    (submission,) = producer._queue((topic, 0))._waiting
    assert isinstance(submission, Submission)
    # As if its time had passed: that begins after the pause.
    producer._give_up((topic, 0), submission)
    assert await later == 2
    times = [at for at, request in sent if isinstance(request, ProduceRequest)]
    assert times
    assert min(times) >= now + left


async def test_a_reader_fetches_nothing_in_a_pause_and_loses_nothing(
    kafka: Kafka, topic: str, producer: Producer
) -> None:
    await producer.write(topic, 0, [(None, TOO_MUCH)])
    name, before = unique("slow-reader"), counted("Fetch")
    await allow(kafka, name, "consumer_byte_rate")
    consumer = new_consumer(kafka.address, topic, client_id=name)
    await consumer.start()
    try:
        record = await consumer.getone()
        assert record.value == TOO_MUCH
        await producer.write(topic, 0, [(None, b"later")])
        assert (await consumer.getone()).value == b"later"
        assert counted("Fetch") > before
    finally:
        await consumer.stop()


class Answer:
    API_KEY = 0

    def __init__(self, version: int) -> None:
        self.API_VERSION = version


@pytest.mark.parametrize(("version", "waits"), [(5, False), (6, True)])
def test_a_pause_that_an_old_broker_has_made_already_is_not_made_again(
    version: int, waits: bool
) -> None:
    pauses: dict[tuple[int | None, Any], float] = {}
    _note(pauses, (1, None), Answer(version), 5.0)
    assert bool(pauses) is waits
