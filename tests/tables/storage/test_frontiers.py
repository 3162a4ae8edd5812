"""The frontiers of a role: what is found of each, and where it goes on once an operator says so."""

from itertools import count
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from msgspec.structs import replace

from embedded.kafka import Kafka
from embedded.process import free_port
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import administrator, reader
from pipeline.processing.frontiers import Bounds, Finding
from pipeline.settings import Settings
from schemas.errors import Unavailable, WrongUsage
from schemas.topics import INPUTS, STATEFUL, Topic, changelog
from tables.storage.finished_ahead import AHEAD
from tables.storage.frontiers import Frontier, GoOn, accept, read_frontiers
from tables.storage.journal_records import (
    Completion,
    LargeWrite,
    cut,
    encode,
    key_of_completion,
    key_of_part,
)
from tables.storage.restore import Changelog
from tables.storage.store import FRONTIER, OFFSET, PartitionStore
from tables.storage.table import checker, key_of
from tests.patience import until_told
from tests.tables.ground import NOTES, notes, producing

HERE = TopicPartition("events", 2)
numbers = count()


def frontier_row(topic: Topic, at: int) -> tuple[bytes, bytes]:
    return FRONTIER + topic.name.encode(), OFFSET.pack(at)


def of(topic: Topic, partition: int) -> TopicPartition:
    return TopicPartition(topic.name, partition)


class Placed:
    """A role that nobody runs, of a test's own, which was worked on for a while."""

    def __init__(self, kafka: Kafka) -> None:
        self.role = f"placed{next(numbers)}"
        self.one, self.two = (
            Topic(name=f"{self.role}-{name}", key="", written_by="", read_by="")
            for name in ("one", "two")
        )
        self.log = changelog(self.role)
        self.settings = Settings(kafka=kafka.address, partitions=3)

    async def begin(self) -> None:
        """Write what is there, and the state of three partitions."""
        one, two, log = self.one, self.two, self.log
        # With a retention, as Kafka deletes what it is told to only where it does so by itself.
        topics = [one, two, replace(log, retention_ms=1 << 40)]
        await create_topics(self.settings, topics)
        async with producing(self.settings.kafka) as producer:
            for topic, partition, number in ((one, 0, 5), (one, 1, 4), (one, 2, 3), (two, 0, 6)):
                await producer.write(topic.name, partition, [(b"k", b"v")] * number)
            write = LargeWrite([frontier_row(two, 6), (b"nb", b"x")], [])
            (part,) = cut(write, b"a token.", 1000)
            done = key_of_completion(0), encode(Completion(part[:8], 1))
            ahead = AHEAD.prefix + key_of(one.name), AHEAD.encode([(2, 3)])
            for number in range(3):
                await producer.open(log.name, number)
            # In the second partition nothing is stored: so its state is new.
            for number, entries in (
                (0, [frontier_row(one, 2), *notes({"a": "x"}).items()]),
                (0, [frontier_row(one, 4), (b"na", None)]),
                (0, [frontier_row(two, 5), (key_of_part(0, 0), part)]),
                (0, [done]),
                (2, [frontier_row(one, 1), ahead, frontier_row(two, 0)]),
            ):
                await producer.write(log.name, number, list(entries))
        await self.commit({of(one, 0): 3, of(one, 1): 2, of(one, 2): 2, of(two, 0): 9})

    async def commit(self, places: dict[TopicPartition, int]) -> None:
        """Commit these by the role's group."""
        async with reader(self.settings.kafka, group_id=f"tocsin-{self.role}") as consumer:
            consumer.assign(list(places))
            await consumer.commit(places)

    @property
    def found(self) -> list[Frontier]:
        """What is to be found, in its order."""
        one, two = self.one, self.two
        return [
            # What is stored may be ahead of what is committed; what was stored last counts.
            Frontier(of(one, 0), Bounds(0, 5, 3), 4, None),
            Frontier(of(one, 1), Bounds(0, 4, 2), None, Finding.STATE_LOST),
            Frontier(of(one, 2), Bounds(0, 3, 2), 1, Finding.STATE_BEHIND),
            Frontier(of(two, 0), Bounds(0, 6, 9), 6, Finding.BEYOND_END),
            Frontier(of(two, 1), Bounds(0, 0, None), None, None),
            Frontier(of(two, 2), Bounds(0, 0, None), 0, None),
        ]


@pytest.fixture
async def placed(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Placed:
    """A role with state, or one without where a test says so."""
    found = Placed(kafka)
    monkeypatch.setitem(INPUTS, found.role, (found.one, found.two))
    if getattr(request, "param", True):
        for module in ("tables.storage.frontiers", "pipeline.processing.frontiers"):
            monkeypatch.setattr(f"{module}.STATEFUL", (*STATEFUL, found.role))
    await found.begin()
    return found


async def test_each_is_found_as_it_is_stored_and_committed(placed: Placed) -> None:
    assert await read_frontiers(placed.settings, placed.role) == placed.found


@pytest.mark.parametrize("placed", [False], indirect=True)
async def test_a_role_without_state_goes_by_what_its_group_has_committed(placed: Placed) -> None:
    committed = [replace(each, stored=None, finding=None) for each in placed.found]
    committed[3] = replace(placed.found[3], stored=None)  # beyond the end of its log
    assert await read_frontiers(placed.settings, placed.role) == committed
    await accept(placed.settings, placed.role, [committed[3]], GoOn.END)
    committed[3] = replace(committed[3], bounds=Bounds(0, 6, 6), finding=None)
    assert await read_frontiers(placed.settings, placed.role) == committed


async def test_while_a_worker_runs_nothing_is_changed(placed: Placed) -> None:
    group, found = f"tocsin-{placed.role}", placed.found
    async with reader(placed.settings.kafka, placed.one.name, group_id=group) as member:
        await until_told(member.getmany, lambda _: bool(member.assignment()))
        with pytest.raises(Unavailable, match=f"The role {placed.role} is running, or was"):
            await accept(placed.settings, placed.role, found[1:3], GoOn.END)
    assert await read_frontiers(placed.settings, placed.role) == found


async def test_a_commit_that_a_log_can_not_have_changes_nothing_of_any(placed: Placed) -> None:
    with pytest.raises(WrongUsage, match=r"-two-0 ends at 6, .* committed \(9\)"):
        await accept(placed.settings, placed.role, placed.found, GoOn.COMMIT)
    assert await read_frontiers(placed.settings, placed.role) == placed.found


async def test_it_goes_on_where_is_said_and_nothing_else_is_changed(
    placed: Placed, tmp_path: Path
) -> None:
    settings, one, two, before = placed.settings, placed.one, placed.two, placed.found
    await accept(settings, placed.role, before[1:3], GoOn.COMMIT)
    await accept(settings, placed.role, [before[3]], GoOn.END)
    await accept(settings, placed.role, [before[5]], GoOn.START)
    assert await read_frontiers(settings, placed.role) == [
        before[0],
        Frontier(of(one, 1), Bounds(0, 4, 2), 2, None),
        Frontier(of(one, 2), Bounds(0, 3, 2), 2, None),
        Frontier(of(two, 0), Bounds(0, 6, 6), 6, None),
        before[4],
        Frontier(of(two, 2), Bounds(0, 0, 0), 0, None),
    ]
    # As a worker then finds it: what was done beyond the old frontier are other records now.
    async with producing(settings.kafka) as producer:
        for partition, there in ((0, {one.name: 4, two.name: 6}), (2, {one.name: 2, two.name: 0})):
            log = Changelog(settings.kafka, placed.log.name, partition, checker(NOTES, AHEAD))
            store = PartitionStore(tmp_path / str(partition), log, producer)
            assert await store.restore() == there
            assert list(store.scan(AHEAD.prefix)) == []
            store.close()


async def test_a_state_that_retention_has_emptied_is_not_one_that_never_was(
    placed: Placed,
) -> None:
    async with administrator(placed.settings.kafka) as admin:
        await admin.delete_records({of(placed.log, n): RecordsToDelete(-1) for n in (1, 2)})
    found = await read_frontiers(placed.settings, placed.role)
    assert [(each.stored, each.finding) for each in found[1:3]] == [
        (None, Finding.STATE_BEHIND),
        (None, Finding.STATE_BEHIND),
    ]


@pytest.mark.parametrize(
    ("at", "bounds", "place"),
    [
        (GoOn.START, Bounds(3, 9, 5), 3),
        (GoOn.COMMIT, Bounds(3, 9, 5), 5),
        (GoOn.END, Bounds(3, 9, 5), 9),
        (GoOn.COMMIT, Bounds(0, 9, 9), 9),
        # Nothing was ever committed: all is still to be done.
        (GoOn.COMMIT, Bounds(0, 9, None), 0),
        (GoOn.START, Bounds(3, 9, 99), 3),
        (GoOn.END, Bounds(3, 9, 99), 9),
        (GoOn.END, Bounds(0, 0, None), 0),
    ],
)
def test_where_a_role_goes_on(at: GoOn, bounds: Bounds, place: int) -> None:
    assert Frontier(HERE, bounds, None, None).place(at) == place


def test_an_operator_says_where_in_these_words() -> None:
    assert [GoOn(word) for word in ("start", "commit", "end")] == list(GoOn)


def test_where_it_can_not_go_on_both_ends_are_named() -> None:
    with pytest.raises(WrongUsage) as raised:
        Frontier(HERE, Bounds(3, 9, 10), None, None).place(GoOn.COMMIT)
    assert str(raised.value) == (
        "events-2 ends at 9, before what was committed (10); accept start or end. Nothing was "
        "changed."
    )


async def test_without_a_broker_nothing_is_found() -> None:
    away = Settings(kafka=f"127.0.0.1:{free_port()}", partitions=1)
    with pytest.raises(Unavailable):
        await read_frontiers(away, "retry")
