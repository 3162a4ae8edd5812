"""Whether an answer that says where a topic ends is as new as what was received of others."""

import asyncio
from itertools import count
from types import SimpleNamespace

from aiokafka import TopicPartition

from pipeline.consuming.consumer import SliceConsumer
from pipeline.consuming.cursor import Cursor
from pipeline.consuming.received import RECEIVED_RETENTION_MS, Answer, Received
from pipeline.processing.lanes import ALL_READ, ReadTo
from pipeline.processing.partitions import Partition
from pipeline.processing.role import Role
from tests.patience import until
from tests.pipeline.processing.test_lanes import Tape
from tests.pipeline.processing.test_partitions import Source


def test_one_answer_tells_of_all_topics_in_it() -> None:
    received = Received()
    received.note(Answer(100, 1), 7)
    assert received.is_current(Answer(100, 1))
    assert received.is_current(Answer(101, 1))


def test_an_answer_is_old_once_its_broker_sent_records_of_other_topics() -> None:
    """The topic was left out, as what came of it before was not yet taken from the client."""
    received = Received()
    received.note(Answer(100, 1), 7)
    received.note(Answer(101, 1), 8)
    assert not received.is_current(Answer(100, 1))
    assert received.seen_by(Answer(100, 1)) == 7


def test_an_answer_of_another_broker_is_old_after_a_second() -> None:
    received = Received()
    received.note(Answer(1100, 1), 7)
    assert received.is_current(Answer(100, 2))
    assert not received.is_current(Answer(99, 2))


def test_what_was_seen_by_an_answer_is_of_then_and_never_goes_back() -> None:
    received = Received()
    assert received.seen_by(Answer(5, 1)) == 0
    for at, timestamp in ((10, 70), (20, 90), (20, 80), (30, 60), (40, 95)):
        received.note(Answer(at, 1), timestamp)
    seen = [received.seen_by(Answer(at, 2)) for at in (9, 10, 19, 20, 30, 39, 40, 99)]
    assert seen == [0, 70, 70, 90, 90, 90, 95, 95]
    received.note(Answer(40 + 2 * RECEIVED_RETENTION_MS, 1), 99)
    assert received.seen_by(Answer(50 + RECEIVED_RETENTION_MS, 2)) == 95


class Listener(Tape):
    """A handler that keeps what it is told of how far topics are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_to: ReadTo | None = None

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Nothing is due."""
        self.read_to = read_to
        return None


async def test_a_topic_is_read_to_its_end_only_as_of_the_answer_that_told_it() -> None:
    handler, source = Listener(), Source()
    role = Role(name="r", topics=("contacts", "asked"), open_handler=lambda *_: handler)
    partition = Partition(0, role, source, None)
    running = asyncio.create_task(partition.run())
    await until(lambda: handler.read_to is not None)
    assert handler.read_to is not None
    contacts, asked = (source.cursors[TopicPartition(topic, 0)] for topic in role.topics)
    _answered(contacts, Answer(100, 1))
    assert handler.read_to("contacts") == ALL_READ
    asked.received.note(Answer(100, 1), 5000)
    assert handler.read_to("contacts") == ALL_READ
    asked.received.note(Answer(200, 1), 6000)
    assert handler.read_to("contacts") == 5000
    _answered(contacts, Answer(200, 1))
    assert handler.read_to("contacts") == ALL_READ
    partition.close()
    await running


def _answered(cursor: Cursor, answer: Answer) -> None:
    cursor.seek_pending = False
    cursor.answer = answer
    cursor.end = 0


def test_who_brought_nothing_is_as_new_as_what_was_brought_with_it() -> None:
    contacts, asked = TopicPartition("contacts", 0), TopicPartition("asked", 0)
    consumer = consumer_of(contacts, asked)
    consumer._note_taken({asked: [SimpleNamespace(timestamp=5000, offset=0)]})
    consumer.note_end(contacts)
    cursor = consumer.cursors[contacts]
    assert cursor.received.is_current(cursor.answer)


def test_what_was_taken_from_the_client_and_not_handed_on_yet_is_unread() -> None:
    """The client is past it: to it nothing is left, and what waits must not go before it."""
    tp = TopicPartition("contacts", 0)
    consumer = consumer_of(tp)
    consumer._note_taken({tp: [SimpleNamespace(timestamp=5000, offset=0)]})
    consumer.note_end(tp)
    assert not consumer.cursors[tp].is_at_end(0)
    consumer.cursors[tp].position = 1
    assert consumer.cursors[tp].is_at_end(1)


def consumer_of(*partitions: TopicPartition) -> SliceConsumer:
    """One whose logs end after a record; the client is past it, and each answer it gives is new."""
    answers = count(100)
    consumer = SliceConsumer.__new__(SliceConsumer)
    consumer._thread = SimpleNamespace(
        last_answer=lambda _, taken_to: (min(1, taken_to), Answer(next(answers), 1)),
        was_answered_since=lambda *_: True,
    )
    received = Received()
    consumer.cursors = {
        tp: Cursor(position=0, seek_pending=False, received=received) for tp in partitions
    }
    return consumer
