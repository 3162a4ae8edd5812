"""What a slice writes: in order, acknowledged, by the line where a topic takes it so."""

from collections.abc import Iterable

import pytest

from pipeline.producing.outputs import Outputs
from pipeline.producing.write_queue import Entry
from schemas.topics import DELIVERY_EVENTS, EVENTS, FOLLOWS, LIVE

LINES = 256 << 10
"""Bytes of lines that share a record."""
MIB = 1 << 20


class Log:
    """Keeps what it is given, in each place."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, int], list[Entry]] = {}

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Append them after ten others."""
        kept = self.records.setdefault((topic, partition), [])
        kept += entries
        return 10 + len(kept)


def lines_of(sizes: Iterable[int]) -> list[list[int]]:
    """The sizes of the lines of each record, when lines of these are added."""
    outputs = Outputs(Log())
    for size in sizes:
        outputs.add(DELIVERY_EVENTS, 0, b"unused", b"x" * size)
    ((_, _, entries),) = outputs.take()
    assert {key for key, _ in entries} == {None}
    return [[len(line) for line in (value or b"").split(b"\n")] for _, value in entries]


async def test_all_is_written_in_order_and_it_is_said_where_each_place_ends_then() -> None:
    log = Log()
    outputs = Outputs(log)
    outputs.add(EVENTS, 0, b"a", b"1")
    outputs.add(FOLLOWS, 3, b"b", b"22")
    outputs.add(EVENTS, 0, b"c", None)
    assert outputs.size == 3
    assert await outputs.flush() == {("events", 0): 12, ("follows", 3): 11}
    assert log.records == {
        ("events", 0): [(b"a", b"1"), (b"c", None)],
        ("follows", 3): [(b"b", b"22")],
    }
    assert await outputs.flush() == {}


async def test_what_was_taken_is_sent_as_it_is() -> None:
    log = Log()
    outputs = Outputs(log)
    outputs.add(EVENTS, 1, b"a", b"1")
    taken = outputs.take()
    assert not outputs.entries
    await outputs.send(taken)
    assert log.records == {("events", 1): [(b"a", b"1")]}


def test_what_another_holds_goes_after_what_was_added_before() -> None:
    first, second = Outputs(Log()), Outputs(Log())
    first.add(EVENTS, 0, b"a", b"1")
    second.add(EVENTS, 0, b"b", b"22")
    second.add(FOLLOWS, 1, b"c", b"333")
    first.extend(second)
    assert dict(first.entries) == {
        ("events", 0): [(b"a", b"1"), (b"b", b"22")],
        ("follows", 1): [(b"c", b"333")],
    }
    assert first.size == 6


def test_a_value_larger_than_kafka_takes_is_refused_before_anything_is_sent() -> None:
    """Of 8 MiB a record has 64 KiB for its key and what stands around both."""
    outputs = Outputs(Log())
    outputs.add(EVENTS, 0, None, bytes(8 * MIB - 65_536))
    with pytest.raises(ValueError, match="8323073 bytes for events, 8323072 are possible"):
        outputs.add(EVENTS, 0, None, bytes(8 * MIB - 65_535))
    assert len(outputs.entries["events", 0]) == 1


def test_small_lines_share_a_record() -> None:
    assert lines_of([10, 20, 30]) == [[10, 20, 30]]
    assert lines_of([LINES // 2, LINES // 2]) == [[LINES // 2, LINES // 2]]


def test_more_than_a_record_of_lines_holds_goes_in_halves_and_in_order() -> None:
    assert lines_of([1, LINES]) == [[1], [LINES]]
    quarter = LINES // 4
    assert lines_of([quarter + n for n in range(6)]) == [
        [quarter, quarter + 1, quarter + 2],
        [quarter + 3, quarter + 4, quarter + 5],
    ]


def test_a_line_that_is_larger_by_itself_has_a_record_of_its_own() -> None:
    assert lines_of([3 * LINES]) == [[3 * LINES]]
    assert lines_of([7, 3 * LINES, 8, 9]) == [[7], [3 * LINES], [8, 9]]


def test_only_topics_of_lines_are_written_by_the_line() -> None:
    outputs = Outputs(Log())
    for topic in (EVENTS, LIVE):
        outputs.add(topic, 0, b"k", b"1")
        outputs.add(topic, 0, b"k", b"2")
    assert outputs.take() == [
        ("events", 0, [(b"k", b"1"), (b"k", b"2")]),
        ("live", 0, [(None, b"1\n2")]),
    ]
