"""Who waits for whom in the in-app lane, by the queues that a worker makes of the role."""

from collections import Counter

from aiokafka import ConsumerRecord, TopicPartition

from agents.inapp import CHANGES_AT_ONCE, inapp
from pipeline.memory_log import MemoryLog
from pipeline.queues import Queues
from pipeline.runtime import Runtime
from pipeline.settings import Settings
from pipeline.slices import RECORDS, cut
from pipeline.topics import DELIVER, ERASURES, INBOX_CHANGES, Topic
from schemas.vocabulary import Channel, Priority
from tests.sinks.set_clock import SetClock

CRITICAL, HIGH, LOW = (
    DELIVER[Channel.INAPP, priority]
    for priority in (Priority.CRITICAL, Priority.HIGH, Priority.LOW)
)


def queues() -> Queues:
    clock = SetClock()
    role = inapp(Runtime(Settings(), MemoryLog(clock), clock))
    most = {topic: role.slice_records.get(topic, RECORDS) for topic in role.topics}
    return Queues(most, role.weights)


def add(queues: Queues, topic: Topic, count: int) -> None:
    records = [
        ConsumerRecord(topic.name, 0, offset, 0, 1, b"k", b"v", None, 1, 1, ())
        for offset in range(count)
    ]
    most = CHANGES_AT_ONCE if topic is INBOX_CHANGES else RECORDS
    for slice_ in cut(TopicPartition(topic.name, 0), 0, 0, records, most):
        queues.put(slice_)


def taken(queues: Queues, count: int) -> list[str]:
    slices = [queues.take() for _ in range(count)]
    return [slice_.partition.topic for slice_ in slices if slice_ is not None]


def test_a_critical_delivery_waits_for_no_change() -> None:
    found = queues()
    add(found, INBOX_CHANGES, 300)
    add(found, HIGH, 300)
    assert taken(found, 1) != [CRITICAL.name]
    add(found, CRITICAL, 1)
    assert taken(found, 1) == [CRITICAL.name]


def test_an_erasure_comes_first() -> None:
    found = queues()
    add(found, CRITICAL, 1)
    add(found, ERASURES, 1)
    assert taken(found, 2) == [ERASURES.name, CRITICAL.name]


def test_a_flood_of_changes_leaves_deliveries_their_share_and_has_its_own() -> None:
    found = queues()
    add(found, INBOX_CHANGES, 100 * CHANGES_AT_ONCE)
    add(found, HIGH, 100 * RECORDS)
    add(found, LOW, 100 * RECORDS)
    # 8 of 18 slices each for changes and what is of high priority, 2 of 18 for low priority.
    assert Counter(taken(found, 90)) == {INBOX_CHANGES.name: 40, HIGH.name: 40, LOW.name: 10}


def test_one_slice_of_changes_is_short() -> None:
    found = queues()
    add(found, INBOX_CHANGES, 300)
    slice_ = found.take()
    assert slice_ is not None
    assert len(slice_.records) == 5
