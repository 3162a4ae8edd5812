"""Slices wait until others are read up to their time, and never for good."""

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.processing.queues import Queues
from pipeline.processing.read_first import GRACE, STALL_TIMEOUT_SECONDS, Before, ReadFirst
from pipeline.processing.slices import Slice

ALL = 1 << 62


class Waiting:
    """A gate for `asked`, which must wait for `consent` and should for `contacts`."""

    def __init__(self) -> None:
        self.read = {"consent": ALL, "contacts": ALL}
        self.seconds = 0.0
        rules = {"asked": Before(must=("consent",), should=("contacts",))}
        self.gate = ReadFirst(rules, lambda topic: self.read[topic], lambda: self.seconds)

    def lets(self, at: int) -> bool:
        return self.gate.lets(slice_of("asked", 0, at))


def test_what_must_be_read_is_waited_for_up_to_the_time_of_the_slice() -> None:
    waiting = Waiting()
    assert waiting.lets(50)
    waiting.read["consent"] = 49
    assert not waiting.lets(50)
    assert waiting.gate.lets(slice_of("another", 0, 50))
    waiting.seconds += STALL_TIMEOUT_SECONDS - 1
    assert not waiting.lets(50)
    waiting.read["consent"] = 50
    assert waiting.lets(50)
    assert not waiting.lets(51)


def test_reading_that_stands_still_is_waited_for_no_longer() -> None:
    waiting = Waiting()
    waiting.read["consent"] = 1
    assert not waiting.lets(50)
    waiting.seconds += STALL_TIMEOUT_SECONDS
    waiting.read["consent"] = 2  # it goes on, however slowly
    assert not waiting.lets(50)
    waiting.seconds += STALL_TIMEOUT_SECONDS
    assert not waiting.lets(50)
    waiting.seconds += 0.001
    assert waiting.lets(50)


def test_what_should_be_read_is_waited_for_once_and_not_at_all_in_a_backlog() -> None:
    waiting = Waiting()
    waiting.read["contacts"] = 10
    assert not waiting.lets(50)
    waiting.seconds += GRACE
    assert not waiting.lets(50)
    waiting.seconds += 0.001
    assert waiting.lets(50)
    assert waiting.lets(60)  # nor does the next one wait
    waiting.read["contacts"] = ALL
    assert waiting.lets(70)
    waiting.read["contacts"] = 75
    assert not waiting.lets(80)  # the backlog was caught up, so it is waited for again


def test_what_should_be_read_is_read_once_it_is_up_to_the_very_time_of_the_slice() -> None:
    waiting = Waiting()
    waiting.read["contacts"] = 50
    assert waiting.lets(50)
    assert not waiting.lets(51)


def slice_of(topic: str, start: int, at: int) -> Slice:
    record = ConsumerRecord(topic, 0, start, at, 1, b"k", b"v", None, 1, 1, ())
    return Slice(TopicPartition(topic, 0), 0, start, start + 1, [record], 1)


def test_what_may_not_go_yet_is_passed_over_and_is_not_joined_to_what_may() -> None:
    until = {"ahead": 0, "asked": 10}
    topics = dict.fromkeys(("plain", "ahead", "asked", "known"), 100)
    queues = Queues(
        topics,
        {"asked": 8, "known": 1},
        ahead=("ahead",),
        may_go=lambda it: it.records[-1].timestamp <= until.get(it.partition.topic, 99),
    )
    for start, at in enumerate((9, 10, 11)):
        queues.put(slice_of("asked", start, at))
    for topic in ("plain", "ahead", "known"):
        queues.put(slice_of(topic, 0, 20))

    def taken() -> tuple[str, int] | None:
        found = queues.take()
        return None if found is None else (found.partition.topic, len(found.records))

    assert [taken(), taken(), taken(), taken()] == [("plain", 1), ("asked", 2), ("known", 1), None]
    assert queues.is_held_up
    until["ahead"] = until["asked"] = 20
    queues.put(slice_of("plain", 1, 30))
    assert [taken(), taken(), taken()] == [("ahead", 1), ("plain", 1), ("asked", 1)]
    assert not queues.is_held_up
