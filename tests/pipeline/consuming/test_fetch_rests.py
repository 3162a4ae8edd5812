"""How long a consumer rests between fetches, and what it takes at once."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from pipeline.consuming.consumer import SliceConsumer
from pipeline.consuming.cursor import Cursor
from pipeline.consuming.received import Answer
from pipeline.processing.slices import Slice
from tests.virtual_time import in_virtual_time, now

FIRST, SECOND = TopicPartition("first", 0), TopicPartition("second", 0)


class Held(SliceConsumer):
    """One whose client gives what a test says, each time that it is asked, and then tells of more.

    What is handed on is noted, with the time.
    """

    answers: list[dict[TopicPartition, list[int]]]
    handed: list[tuple[str, list[int], float]]

    async def _getmany(self, *_: object) -> Any:
        given = self.answers.pop(0) if self.answers else {}
        if self.answers and not given:
            asyncio.get_running_loop().call_soon(self.answered.set)
        return {
            tp: [SimpleNamespace(offset=o, timestamp=0, key=None, value=None) for o in offsets]
            for tp, offsets in given.items()
        }

    async def _hand_on(self, slices: list[Slice]) -> None:
        self.handed += [
            (each.partition.topic, [record.offset for record in each.records], round(now(), 3))
            for each in slices
        ]


def held(*answers: dict[TopicPartition, list[int]], rested: bool) -> Held:
    """Of two topics, the second of which goes before the first."""
    consumer = Held.__new__(Held)
    consumer.answers = list(answers)
    consumer.handed = []
    consumer.answered = asyncio.Event()
    consumer.cursors = {tp: Cursor(0, seek_pending=False) for tp in (FIRST, SECOND)}
    consumer._thread = SimpleNamespace(last_answer=lambda *_: (9, Answer(1, 1)))
    role = SimpleNamespace(topics=("second", "first"), name="held", slice_records={}, gather=None)
    consumer.app = SimpleNamespace(partitions=SimpleNamespace(with_room=set, role=role))
    consumer._asked, consumer._out_of_range = set(), set()
    consumer._asked_at = consumer._fetched_at = 0.0
    consumer._rested = rested
    return consumer


async def test_what_was_read_in_one_go_is_one_event_for_the_agent() -> None:
    consumer, events = held(rested=False), list[list[tuple[str, int, int]]]()
    consumer.app.consumer_generation_id = 1

    async def note(message: Any) -> None:
        assert message.tp in (FIRST, SECOND)
        events.append([(each.partition.topic, each.start, each.next) for each in message.value])

    consumer.callback = note
    record = SimpleNamespace(
        topic="first", partition=0, offset=3, timestamp=5000, timestamp_type=0, key=b"", value=b""
    )
    slices = [Slice(FIRST, 0, 2, 4, [record], 1), Slice(SECOND, 0, 0, 7, [record], 1)]
    await SliceConsumer._hand_on(consumer, slices)
    await SliceConsumer._hand_on(consumer, [])
    assert events == [[("first", 2, 4), ("second", 0, 7)]]


async def test_nothing_is_looked_at_for_faust_s_own_bookkeeping() -> None:
    # Of all partitions, each time: this consumer has none that could be looked at.
    await held(rested=False).verify_all_partitions_active()


@pytest.mark.parametrize(("gather", "rests"), [(None, 0.01), (0.1, 0.1)])
@in_virtual_time
async def test_a_role_whose_work_nobody_waits_for_rests_longer_between_fetches(
    gather: float | None, rests: float
) -> None:
    consumer = held({FIRST: [0]}, {}, {FIRST: [1]}, rested=True)
    consumer.app.partitions.role.gather = gather
    begin = now()
    await consumer._fetch_once()
    assert now() - begin == pytest.approx(rests, abs=0.003)


@in_virtual_time
async def test_what_a_broker_answers_at_once_goes_with_what_came_in_the_rest_before() -> None:
    consumer = held({FIRST: [0, 1]}, {}, {FIRST: [2], SECOND: [0]}, rested=True)
    await consumer._fetch_once()
    assert consumer.handed == [("second", [0], 0), ("first", [0, 1, 2], 0)]
    # And it rests again: whoever is busy gathers what comes meanwhile.
    assert now() == pytest.approx(0.01)


@in_virtual_time
async def test_what_a_broker_does_not_answer_at_once_is_waited_for_no_longer() -> None:
    consumer = held({FIRST: [0, 1]}, {}, rested=True)
    await consumer._fetch_once()
    assert consumer.handed == [("first", [0, 1], 0.002)]


@in_virtual_time
async def test_what_comes_after_a_silence_waits_for_nothing() -> None:
    consumer = held({FIRST: [0]}, {SECOND: [0]}, rested=False)
    await consumer._fetch_once()
    assert (consumer.handed, now()) == ([("first", [0], 0)], 0)


@in_virtual_time
async def test_a_fetch_that_brings_nothing_ends_after_a_tenth_of_a_second() -> None:
    consumer = held({}, rested=False)
    await consumer._fetch_once()
    assert consumer.handed == []
    assert now() == pytest.approx(0.1)
