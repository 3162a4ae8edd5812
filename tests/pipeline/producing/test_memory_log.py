"""Topics in memory give back what was written, as a worker of Kafka's would get it."""

import pytest

from pipeline.producing.memory_log import MemoryLog
from tests.sinks.set_clock import SetClock

NOW = 1_795_000_000_000


@pytest.fixture
def log() -> MemoryLog:
    """An empty one whose clock stands still."""
    clock = SetClock()
    clock.time = NOW
    return MemoryLog(clock)


async def test_what_is_written_is_in_one_partition_at_the_offsets_that_follow(
    log: MemoryLog,
) -> None:
    assert await log.write("events", 5, [(b"a", b"1"), (b"b", None)]) == 2
    assert await log.write("events", 2, [(None, b"3")]) == 3
    assert await log.write("others", 0, [(None, b"x")]) == 1
    records = log.take("events")
    assert [(r.topic, r.partition, r.offset, r.key, r.value) for r in records] == [
        ("events", 0, 0, b"a", b"1"),
        ("events", 0, 1, b"b", None),
        ("events", 0, 2, None, b"3"),
    ]
    assert {record.timestamp for record in records} == {NOW}


async def test_who_takes_records_has_them_alone_and_the_offsets_go_on(log: MemoryLog) -> None:
    assert not log.holds("events")
    await log.write("events", 0, [(b"a", b"1"), (b"a", b"2")])
    assert log.holds("events")
    assert len(log.take("events")) == 2
    assert not log.holds("events")
    assert log.take("events") == []
    assert await log.write("events", 0, [(b"a", b"3")]) == 3
    assert [record.offset for record in log.take("events")] == [2]


async def test_a_slice_has_what_stands_at_an_offset_and_after_it(log: MemoryLog) -> None:
    await log.write("events", 0, [(b"k", b"%d" % n) for n in range(5)])
    slice_ = log.slice_from("events", 1, most=3)
    assert slice_ is not None
    assert (slice_.partition.topic, slice_.partition.partition) == ("events", 0)
    assert (slice_.start, slice_.next, slice_.epoch) == (1, 4, 0)
    assert [record.value for record in slice_.records] == [b"1", b"2", b"3"]
    rest = log.slice_from("events", 4)
    assert rest is not None
    assert (rest.start, rest.next) == (4, 5)


async def test_at_the_end_of_a_topic_there_is_no_slice(log: MemoryLog) -> None:
    assert log.slice_from("nothing", 0) is None
    await log.write("events", 0, [(b"k", b"1")])
    assert log.slice_from("events", 1) is None


async def test_what_was_taken_is_passed_over_by_who_reads_on(log: MemoryLog) -> None:
    await log.write("events", 0, [(b"k", b"1"), (b"k", b"2")])
    log.take("events")
    assert log.slice_from("events", 2) is None
    await log.write("events", 0, [(b"k", b"3")])
    slice_ = log.slice_from("events", 2)
    assert slice_ is not None
    assert [(record.offset, record.value) for record in slice_.records] == [(2, b"3")]
