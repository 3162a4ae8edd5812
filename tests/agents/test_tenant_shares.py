"""What one tenant cancels or has erased leaves room for what others send."""

from aiokafka import ConsumerRecord, TopicPartition

from agents.decider import decider
from agents.router import router
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.memory_log import MemoryLog
from pipeline.partitions import Role
from pipeline.queues import Queues
from pipeline.runtime import Runtime
from pipeline.settings import Settings
from pipeline.slices import RECORDS, cut
from pipeline.topics import (
    CANCELLATIONS,
    CANCELLED,
    CANCELLED_BULK,
    EVENTS,
    FOLLOWS,
    REQUESTS,
    Topic,
)
from policy.catalogue.catalogue import parse
from policy.instants import moment
from schemas.cancellation import Cancellation
from schemas.vocabulary import Priority
from tables.held import CANCELLED as CANCELLED_KEYS
from tables.table import key_of
from tests.simulation.roles import NOW, Roles
from tests.sinks.set_clock import SetClock


def cancellation(tenant: str, number: int) -> Cancellation:
    return Cancellation(cancel_key=f"k{number}", actor="shop", at=moment(NOW), tenant=tenant)


async def test_what_a_tenant_cancels_beyond_its_share_waits_behind_what_others_send() -> None:
    roles = Roles(tenant_share=1)  # a record a second, and five at once
    await roles.say(CANCELLATIONS, *(cancellation("mallory", number) for number in range(8)))
    await roles.say(CANCELLATIONS, cancellation("acme", 0))
    await roles.route()
    prompt = roles.read(CANCELLED, Cancellation)
    assert [each.tenant for each in prompt] == ["mallory"] * 5 + ["acme"]
    assert [each.cancel_key for each in roles.read(CANCELLED_BULK, Cancellation)] == [
        "k5", "k6", "k7",
    ]  # fmt: skip
    await roles.settle()
    for number in range(8):
        key = CANCELLED_KEYS.prefix + key_of("mallory", f"k{number}")
        assert key in roles.decider_store.stored


def queues(role: Role) -> Queues:
    most = {topic: role.slice_records.get(topic, RECORDS) for topic in role.topics}
    return Queues(most, role.weights)


def add(queues: Queues, topic: Topic, count: int) -> None:
    records = [
        ConsumerRecord(topic.name, 0, offset, 0, 1, b"k", b"v", None, 1, 1, ())
        for offset in range(count)
    ]
    for slice_ in cut(TopicPartition(topic.name, 0), 0, 0, records):
        queues.put(slice_)


def taken(queues: Queues, count: int) -> list[str]:
    slices = [queues.take() for _ in range(count)]
    return [slice_.partition.topic for slice_ in slices if slice_ is not None]


def runtime() -> Runtime:
    clock = SetClock()
    return Runtime(Settings(), MemoryLog(clock), clock)


def test_events_do_not_wait_for_all_cancellations_but_for_follows() -> None:
    found = queues(router(FixedCatalogue(parse({})), runtime()))
    add(found, EVENTS, 3 * RECORDS)
    add(found, CANCELLATIONS, 3 * RECORDS)
    add(found, FOLLOWS, 1)
    first, *others = taken(found, 7)
    assert first == FOLLOWS.name
    assert sorted(others[:2]) == sorted(others[2:4]) == [CANCELLATIONS.name, EVENTS.name]


def test_in_the_decider_only_what_is_within_a_share_precedes_what_is_critical() -> None:
    found = queues(decider(FixedCatalogue(parse({})), runtime()))
    add(found, CANCELLED_BULK, RECORDS)
    add(found, REQUESTS[Priority.HIGH], RECORDS)
    add(found, REQUESTS[Priority.CRITICAL], 1)
    add(found, CANCELLED, 1)
    assert taken(found, 2) == [CANCELLED.name, REQUESTS[Priority.CRITICAL].name]
