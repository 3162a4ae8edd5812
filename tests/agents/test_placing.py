"""Misplaced records come to their key's partition once and in order, whoever crashes on the way."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from agents.intake.agent import Placing
from agents.intake.sources import Sources
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.decoder import Intake
from pipeline.processing.slices import Slice
from pipeline.producing.outputs import Outputs
from pipeline.producing.write_queue import Entry
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from schemas.encoding import encode
from schemas.errors import Unavailable
from schemas.misplaced import Misplaced
from schemas.profile import Contacts, Device, DeviceChange
from schemas.topics import CONTACTS, DEVICES, MISPLACED, PLACED, Topic
from tables.moved import MOVED, Mark, without_repeats
from tables.storage.memory_store import MemoryStore
from tables.storage.transaction import Transaction
from tests.agents.shifted_clock import ShiftedClock

PARTITIONS = 3
DECIDER = PLACED["decider"]
KINDS: dict[Topic, type[Struct]] = {DECIDER: Misplaced, CONTACTS: Contacts, DEVICES: DeviceChange}
HOME = {"f": 0, "a": 1, "b": 2}
"""Users, and the partition of three in which aiokafka's default partitioner puts each key."""
Place = tuple[str, int]
Source = tuple[str, int, int]


@dataclass
class Topics:
    """Topics of several partitions, whose broker may fail to take or to acknowledge."""

    records: dict[Place, list[ConsumerRecord]] = field(default_factory=lambda: defaultdict(list))
    failing: str = ""
    clock: int = 1_000_000

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """As the producer does; offsets are consecutive, and some records are of one moment."""
        if self.failing == "before":
            raise Unavailable("gone")
        log = self.records[topic, partition]
        for key, value in entries:
            self.clock += len(log) % 3 == 0
            log.append(
                ConsumerRecord(
                    topic, partition, len(log), self.clock, 1, key, value, None, 0, 0, ()
                )
            )
        if self.failing == "after":
            raise Unavailable("gone")
        return len(log)

    def slice(self, topic: str, partition: int, start: int, most: int) -> Slice | None:
        """So many records from an offset; None at the end."""
        records = self.records[topic, partition][start : start + most]
        tp = TopicPartition(topic, partition)
        return Slice(tp, 0, start, start + len(records), records, 0) if records else None


class Town:
    """Readers of the public topics, who place, and takers, each of which goes on where it stood."""

    def __init__(self) -> None:
        self.topics = Topics()
        runtime = Runtime(Settings(partitions=PARTITIONS), self.topics, ShiftedClock())
        self._runtime = runtime
        sources = Sources(FixedCatalogue(Catalogue({}, {}, "")), runtime)
        self._placing = [Placing(runtime, set(), sources, at) for at in range(PARTITIONS)]
        self.stores = [MemoryStore() for _ in range(PARTITIONS)]
        self.done: dict[tuple[str, Place], int] = defaultdict(int)
        self.taken: dict[int, list[tuple[Source, str]]] = defaultdict(list)

    async def step(
        self,
        who: str,
        topic: str,
        at: int,
        most: int,
        failing: str,
        back: int,
        *,
        next_: bool = False,
    ) -> bool:
        """Let one of them work on the next records, from `back` before where it stood.

        The `next_` version places itself what it reads.
        """
        place = who.partition(" ")[0], (topic, at)
        start = max(0, self.done[place] - back)
        slice_ = self.topics.slice(topic, at, start, most)
        if slice_ is None:
            return False
        self.topics.failing = failing
        try:
            ways = {"read": self._read, "place": self._place, "take": self._take}
            await (ways | {"read by the next version": self._read_by_next})[who](slice_)
        except Unavailable:
            return True
        finally:
            self.topics.failing = ""
        if back == 0:  # otherwise one that was taken for dead, of which nobody knows
            self.done[place] = slice_.next
        return True

    def _intake(self) -> Intake:
        return Intake("decider", KINDS, ShiftedClock(), 0.5, PARTITIONS)

    async def _read(self, slice_: Slice) -> None:
        outputs = Outputs(self.topics)
        placed = list(self._intake().read(slice_, outputs))
        await outputs.flush()
        at = slice_.partition.partition
        assert all(HOME[value.user] == at for _, value in placed)

    async def _read_by_next(self, slice_: Slice) -> None:
        """As a version will that needs no intake for it."""
        found, outputs = Outputs(self.topics), Outputs(self.topics)
        list(self._intake().read(slice_, found))
        for entries in found.entries.values():
            for _, value in entries:
                said = msgspec.json.decode(value or b"", type=Misplaced)
                user = msgspec.json.decode(said.value)["user"]
                straight = encode(replace(said, direct=True))
                outputs.add(DECIDER, HOME[user], user.encode(), straight)
        await outputs.flush()

    async def _place(self, slice_: Slice) -> None:
        await self._placing[slice_.partition.partition].handle(slice_)

    async def _take(self, slice_: Slice) -> None:
        at = slice_.partition.partition
        transaction = Transaction(slice_, self.stores[at], Outputs(self.topics))
        records = self._intake().read(slice_, transaction.outputs)
        found = [
            ((record.topic, record.partition, record.offset), value.user)
            for record, value in without_repeats(transaction, records)
        ]
        if self.topics.failing:
            raise Unavailable("gone before anything was stored")
        await transaction.commit()
        self.taken[at] += found


Written = list[tuple[Topic, str, int]]
"""Topic, user and partition of each record, in the order in which they are written."""


async def write(town: Town, records: Written) -> None:
    for topic, user, at in records:
        value = (
            Contacts(user=user)
            if topic is CONTACTS
            else DeviceChange(user=user, device=Device(token="t"))
        )
        await town.topics.write(topic.name, at, [(None, encode(value))])


def expected(records: Written) -> dict[int, list[tuple[Source, str]]]:
    """By the partition of their key, where misplaced records were written, in that order."""
    ends: dict[Place, int] = defaultdict(int)
    found: dict[int, list[tuple[Source, str]]] = defaultdict(list)
    for topic, user, at in records:
        offset = ends[topic.name, at]
        ends[topic.name, at] += 1
        if at != HOME[user]:
            found[HOME[user]].append(((topic.name, at, offset), user))
    return found


def by_source(found: Sequence[tuple[Source, str]]) -> dict[Place, list[tuple[Source, str]]]:
    grouped: dict[Place, list[tuple[Source, str]]] = defaultdict(list)
    for source, user in found:
        grouped[source[:2]].append((source, user))
    return dict(grouped)


WAYS = [("read", CONTACTS.name), ("read", DEVICES.name), ("place", MISPLACED.name)]
WAYS.append(("take", DECIDER.name))
_records = st.lists(
    st.tuples(
        st.sampled_from([CONTACTS, DEVICES]),
        st.sampled_from([*HOME]),
        st.integers(0, PARTITIONS - 1),
    ),
    max_size=12,
)
_steps = st.lists(
    st.tuples(
        st.sampled_from(WAYS),
        st.integers(0, PARTITIONS - 1),
        st.integers(1, 4),
        st.sampled_from(["", "", "before", "after"]),
        st.sampled_from([0, 0, 0, 1, 5]),
    ),
    max_size=60,
)


@given(_records, _steps, _records)
def test_each_is_taken_once_in_the_order_of_its_source(
    records: Written, steps: list[tuple[tuple[str, str], int, int, str, int]], later: Written
) -> None:
    """Whatever is repeated, and by whom, also by one that was taken for dead and writes on."""

    async def play() -> Town:
        town = Town()
        await write(town, records)
        for (who, topic), at, most, failing, back in steps:
            back = 0 if who == "take" else back  # its state goes with its frontier
            await town.step(who, topic, at, most, failing, back)
        await write(town, later)
        for who, topic in WAYS:
            for at in range(PARTITIONS):
                while await town.step(who, topic, at, 2, "", 0):
                    pass
        return town

    town = asyncio.run(play())
    wanted = expected([*records, *later])
    for at in range(PARTITIONS):
        assert by_source(town.taken[at]) == by_source(wanted[at])
    assert not town.topics.records["dead-letters", 0]


@given(_records, st.lists(st.booleans(), max_size=40), st.randoms(use_true_random=False))
def test_while_a_version_takes_over_that_needs_no_intake_nothing_is_lost(
    records: Written, versions: list[bool], random: Random
) -> None:
    """Forth and back: what comes straight overtakes what intake has, which is then no repeat."""

    async def play() -> Town:
        town = Town()
        await write(town, records)
        for is_next in versions:
            topic, at = random.choice([CONTACTS, DEVICES]).name, random.randrange(PARTITIONS)
            who = "read by the next version" if is_next else "read"
            await town.step(who, topic, at, random.randint(1, 3), "", 0)
            for who, topic in WAYS[2:]:
                if random.random() < 0.3:
                    await town.step(who, topic, random.randrange(PARTITIONS), 2, "", 0)
        for who, topic in WAYS:
            for at in range(PARTITIONS):
                while await town.step(who, topic, at, 2, "", 0):
                    pass
        return town

    town, wanted = asyncio.run(play()), expected(records)
    for at in range(PARTITIONS):
        assert sorted(town.taken[at]) == sorted(wanted[at])


def _transaction() -> Transaction:
    town = Town()
    return Transaction(None, town.stores[0], Outputs(town.topics))


def record(offset: int, accepted_at: int) -> tuple[ConsumerRecord, None]:
    return ConsumerRecord("contacts", 1, offset, accepted_at, 1, b"", b"", None, 0, 0, ()), None


def offsets(transaction: Transaction, *records: tuple[ConsumerRecord, None]) -> list[int]:
    return [each.offset for each, _ in without_repeats(transaction, records)]


def test_records_of_one_moment_are_no_repeats() -> None:
    transaction = _transaction()
    assert offsets(transaction, record(7, 1000), record(8, 1000), record(8, 1000)) == [7, 8]


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    transaction = _transaction()
    assert offsets(transaction, record(7, 1000), record(8, 1010)) == [7, 8]
    assert offsets(transaction, record(0, 2000), record(1, 2001), record(0, 2000)) == [0, 1]


def test_a_clock_that_went_back_makes_no_repeat_new() -> None:
    transaction = _transaction()
    assert offsets(transaction, record(7, 1000), record(8, 900)) == [7, 8]
    assert offsets(transaction, record(7, 1000), record(8, 900), record(9, 950)) == [9]


def test_one_mark_is_kept_for_each_source_partition() -> None:
    transaction = _transaction()
    offsets(transaction, *(record(number, 1000 + number) for number in range(50)))
    (key,) = transaction.view(MOVED).keys(b"")
    assert transaction.view(MOVED).get(key) == Mark(50, 1049)
