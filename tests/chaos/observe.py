"""Looking at a house from outside: topics, committed offsets and accept logs, read plainly."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from embedded.local_stack import LocalStack, Worker
from embedded.retries import retries_waiting
from embedded.simulators.faults import Fault
from pipeline.admin.end_offsets import learn
from schemas.topics import DELIVER, INPUTS
from schemas.vocabulary import Channel
from tests.chaos.witness import Key, Output
from tests.patience import PATIENCE

READ_BY = {role: tuple(topic.name for topic in topics) for role, topics in INPUTS.items()}
"""Topics by the role that reads them."""
SENDING = [topic.name for topic in DELIVER.values()]


SETTLED = 600.0
"""Seconds in which all that was written must be read, on a machine that is busy with much else."""
LOOK = 0.25
"""Seconds between two looks at what is read."""


async def wait_until_read(house: LocalStack, within: float = SETTLED) -> None:
    """Wait until every role has committed the end of all its topics, twice in a row."""
    end = time.monotonic() + within
    roles = deque(set(house.roles) & READ_BY.keys())
    caught_up = 0
    behind: int | str
    async with _clients(house) as (admin, consumer):
        while caught_up < 2 * len(roles):
            try:
                behind = await _behind(roles[0], admin, consumer)
                if roles[0] == "retry":
                    behind += await retries_waiting(house)
            except KafkaError as error:  # such as a coordinator that is not there yet
                behind = repr(error)
            if time.monotonic() > end:
                raise AssertionError(f"after {within:g} s {roles[0]} is still behind by {behind}")
            if behind:
                # The others aren't asked meanwhile: to look costs what work could be done with.
                caught_up = 0
                await asyncio.sleep(LOOK)
            else:
                caught_up += 1
                roles.rotate(-1)
            if caught_up == len(roles):
                await asyncio.sleep(LOOK)


async def read_all(house: LocalStack, topics: Iterable[str]) -> AsyncIterator[ConsumerRecord]:
    """Every record that the topics hold."""
    begin = dict.fromkeys(_partitions(house, topics), 0)
    async for record in read_from(house, begin):
        yield record


async def ends_of(house: LocalStack, topics: Iterable[str]) -> dict[TopicPartition, int]:
    """Where the topics end now."""
    async with _clients(house) as (_, consumer):
        ends: dict[TopicPartition, int] = await consumer.end_offsets(_partitions(house, topics))
        return ends


async def read_from(
    house: LocalStack, begin: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord]:
    """Every record of these partitions from these offsets on."""
    async with _clients(house) as (_, consumer):
        consumer.assign(list(begin))
        for tp, offset in begin.items():
            consumer.seek(tp, offset)
        ends = await consumer.end_offsets(list(begin))
        left = {tp for tp in begin if begin[tp] < ends[tp]}
        while left:
            for tp, records in (await consumer.getmany(*left, timeout_ms=500)).items():
                for record in records:
                    yield record
                if records[-1].offset + 1 >= ends[tp]:
                    left.discard(tp)


class _Sent(msgspec.Struct):
    delivery_id: str
    event_id: str
    user: str
    channel: str
    address: str
    attempt: int = 0


async def decided(house: LocalStack, name: str) -> list[Output]:
    """What the decider wrote for providers to send of a script's events.

    What the retry agent wrote is left out, and so is what is for the inbox, of which the accept
    log says nothing.
    """
    outputs = []
    decoder = msgspec.json.Decoder(_Sent)
    async for record in read_all(house, SENDING):
        sent = decoder.decode(record.value)
        if sent.channel == Channel.INAPP:
            continue
        if sent.attempt == 0 and sent.event_id.startswith(f"{name}-"):
            key = Key(sent.event_id, sent.user, sent.channel, sent.address)
            place = f"{record.topic}-{record.partition}"
            outputs.append(Output(sent.delivery_id, key, place, record.value))
    return outputs


async def set_fault(house: LocalStack, provider: str, fault: Fault | None) -> None:
    """Make a simulated provider misbehave, or stop doing so."""
    url = f"http://127.0.0.1:{house.simulators.port}/_faults/{provider}"
    method, body = ("DELETE", b"") if fault is None else ("PUT", msgspec.json.encode(fault))
    async with aiohttp.request(method, url, data=body) as response:
        assert response.status == 204, await response.text()


def ready_count(worker: Worker) -> int:
    """How often this worker said that it is ready, with all its roles if it has several."""
    return worker.log.read_text().count(worker.ready)


async def until_ready_again(worker: Worker, before: int, within: float = PATIENCE) -> float:
    """Wait until it says so once more than `before`; returns the seconds that this took."""
    begin = time.monotonic()
    while ready_count(worker) <= before:
        assert time.monotonic() < begin + within, f"{worker.role} did not come back"
        await asyncio.sleep(0.05)
    return time.monotonic() - begin


def _partitions(house: LocalStack, topics: Iterable[str]) -> list[TopicPartition]:
    count = house.settings.partitions
    return [TopicPartition(topic, number) for topic in topics for number in range(count)]


async def _behind(role: str, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> int:
    """How many records of its topics the role has not committed."""
    done = await admin.list_consumer_group_offsets(f"tocsin-{role}")
    topics = READ_BY[role]
    tps = [TopicPartition(t, n) for t in topics for n in consumer.partitions_for_topic(t) or ()]
    ends = await consumer.end_offsets(tps)
    return sum(max(0, end - (done[tp].offset if tp in done else 0)) for tp, end in ends.items())


@asynccontextmanager
async def _clients(
    house: LocalStack,
) -> AsyncIterator[tuple[AIOKafkaAdminClient, AIOKafkaConsumer]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=house.kafka.address)
    consumer = AIOKafkaConsumer(bootstrap_servers=house.kafka.address, enable_auto_commit=False)
    try:
        await admin.start()
        await consumer.start()
        await learn(consumer, [t for topics in READ_BY.values() for t in topics])
        yield admin, consumer
    finally:
        await consumer.stop()
        await admin.close()
