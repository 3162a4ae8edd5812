"""Lines that wait for others: in their order, told when they are acknowledged, and never lost."""

import asyncio
from collections import defaultdict
from itertools import groupby
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.producing.gathering import Gathering
from pipeline.producing.outputs import Records
from pipeline.producing.write_queue import Entry
from schemas.errors import Unavailable
from tests.pipeline.gate import GatedLog, settled

LINES = 256 << 10
"""Bytes of lines that share a record."""
PLACES = [("events", 0), ("events", 1), ("other", 0)]


def said(text: str, partition: int = 0) -> Records:
    """One line for a partition."""
    return [("events", partition, [(None, text.encode())])]


class Told:
    """How often it was told."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


async def test_what_several_said_is_one_record_and_each_is_told_when_it_is_acknowledged() -> None:
    log, told = GatedLog(), [Told() for _ in range(3)]
    gathering = Gathering(log.write)
    for number, each in enumerate(told):
        assert not gathering.gather(said(f"line {number}"), each)
    await log.nothing()
    flushing = asyncio.create_task(gathering.flush())
    (write,) = await log.next()
    assert (write.place, write.entries) == (("events", 0), [(None, b"line 0\nline 1\nline 2")])
    await settled()
    assert not flushing.done()
    assert [each.times for each in told] == [0, 0, 0]
    write.acknowledge()
    await flushing
    assert [each.times for each in told] == [1, 1, 1]
    await gathering.flush()
    await log.nothing()


async def test_what_is_for_several_places_is_told_once_all_of_them_have_it() -> None:
    log, told = GatedLog(), Told()
    gathering = Gathering(log.write)
    gathering.gather([*said("a", 0), *said("b", 1)], told)
    flushing = asyncio.create_task(gathering.flush())
    one, other = await log.next(2)
    other.acknowledge()
    await settled()
    assert told.times == 0
    one.acknowledge()
    await flushing
    assert told.times == 1


async def test_what_fills_a_record_is_written_at_once_and_is_to_be_waited_for() -> None:
    log, few, many = GatedLog(), Told(), Told()
    gathering = Gathering(log.write)
    gathering.gather(said("elsewhere", 1), few)
    assert not gathering.gather(said("x" * (LINES - 1)), few)
    full = gathering.gather(said("y"), many)
    assert full == [("events", 0)]
    (write,) = await log.next()
    assert write.place == ("events", 0)
    # A broker that stalls holds up only what depends on it.
    assert gathering.gather(said("z" * LINES, 2), many) == [("events", 2)]
    (stalled,) = await log.next()
    waiting = asyncio.create_task(gathering.settled(full))
    await settled()
    assert not waiting.done()
    write.acknowledge()
    await waiting
    assert (few.times, many.times) == (1, 1)
    stalled.acknowledge()
    # What waits elsewhere waits on.
    flushing = asyncio.create_task(gathering.flush())
    (write,) = await log.next()
    assert (write.place, write.entries) == (("events", 1), [(None, b"elsewhere")])
    write.acknowledge()
    await flushing


async def test_what_is_being_written_already_is_waited_for_too() -> None:
    log = GatedLog()
    gathering = Gathering(log.write)
    gathering.gather(said("first"), Told())
    first = asyncio.create_task(gathering.flush())
    (write,) = await log.next()
    second = asyncio.create_task(gathering.flush())
    await settled()
    assert not second.done()
    write.acknowledge()
    await asyncio.gather(first, second)


async def test_what_could_not_be_written_is_told_to_whoever_commits_and_never_as_written() -> None:
    log, told = GatedLog(), Told()
    gathering = Gathering(log.write)
    gathering.gather(said("x" * LINES), told)
    (write,) = await log.next()
    write.fail()
    await settled()
    for _ in range(2):
        with pytest.raises(Unavailable, match="no acknowledgement came"):
            await gathering.flush()
    assert told.times == 0


async def test_who_waits_no_longer_takes_nothing_back() -> None:
    log, told = GatedLog(), Told()
    gathering = Gathering(log.write)
    gathering.gather(said("kept"), told)
    flushing = asyncio.create_task(gathering.flush())
    (write,) = await log.next()
    flushing.cancel()
    await asyncio.wait([flushing])
    write.acknowledge()
    await gathering.flush()
    assert told.times == 1


lines = st.integers(1, LINES + 5).map(lambda size: b"x" * size) | st.just(b"short")
Steps = list[list[tuple[tuple[str, int], list[bytes]]] | None]
added = st.tuples(st.sampled_from(PLACES), st.lists(lines, min_size=1, max_size=4))


@given(st.lists(st.lists(added, min_size=1, max_size=3) | st.none(), max_size=12))
def test_each_place_has_all_lines_in_their_order(steps: Steps) -> None:
    """Where a step is None, frontiers are committed."""
    asyncio.run(walk(steps))


async def walk(steps: Steps) -> None:
    written: dict[tuple[str, int], list[bytes]] = defaultdict(list)

    async def write(topic: str, partition: int, entries: list[Entry]) -> int:
        await asyncio.sleep(0)
        assert {key for key, _ in entries} == {None}
        written[topic, partition] += [value or b"" for _, value in entries]
        return 0

    gathering, told = Gathering(write), list[Told]()
    wanted: dict[tuple[str, int], list[bytes]] = defaultdict(list)
    for step in steps:
        if step is None:
            await gathering.flush()
            assert all(each.times == 1 for each in told)
            continue
        records: Records = []
        for place, group in groupby(sorted(step, key=itemgetter(0)), key=itemgetter(0)):
            of_place = [line for _, some in group for line in some]
            wanted[place] += of_place
            records.append((*place, [(None, line) for line in of_place]))
        told.append(Told())
        await gathering.settled(gathering.gather(records, told[-1]))
    await gathering.flush()
    assert {place: b"\n".join(each).split(b"\n") for place, each in written.items()} == wanted
    assert [each.times for each in told] == [1] * len(told)
    for record in (record for records in written.values() for record in records):
        assert len(record.replace(b"\n", b"")) <= LINES or b"\n" not in record
