"""Members of a group on a real Kafka: who keeps, hands over and gets back which partitions."""

import time
from collections.abc import AsyncIterator, Iterable
from itertools import count
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.consuming.membership import Member, NamedConsumer, member_of
from pipeline.kafka.clients import new_client, new_consumer
from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.topics import Topic
from tests.patience import PATIENCE, until

PARTITIONS = 12
TOPICS = [Topic(name=f"membership-{letter}", key="", written_by="", read_by="") for letter in "ab"]
numbers = count()
Held = dict[str, frozenset[int]]


class Heard(ConsumerRebalanceListener):
    """What a member was given, each time anew."""

    def __init__(self) -> None:
        self.given: list[frozenset[TopicPartition]] = []

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Of no matter here."""

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note it."""
        self.given.append(frozenset(assigned))


class Group:
    """A consumer group of members by name, whose sessions last as long as a test says."""

    def __init__(self, kafka: str, folder: Path) -> None:
        self._kafka = kafka
        self._folder = folder
        self._name = f"membership-{next(numbers)}"
        self.members: dict[str, AIOKafkaConsumer] = {}
        self.heard: dict[str, Heard] = {}

    async def join(
        self,
        name: str,
        session: float = PATIENCE,
        *,
        old: bool = False,
        topics: list[Topic] = TOPICS,
    ) -> None:
        """A member joins; an `old` one has no name and knows the strategy *range* alone."""
        options = {
            "group_id": self._name,
            "session_timeout_ms": round(session * 1000),
            "heartbeat_interval_ms": 100,
            "rebalance_timeout_ms": round(PATIENCE * 1000),
        }
        if old:
            strategy = [RangePartitionAssignor]
            consumer = new_consumer(self._kafka, partition_assignment_strategy=strategy, **options)
        else:
            member = Member(name, self._folder / name)
            consumer = new_client(NamedConsumer, self._kafka, member=member, **options)
        await consumer.start()
        self.members[name], self.heard[name] = consumer, Heard()
        consumer.subscribe([topic.name for topic in topics], listener=self.heard[name])

    async def leave(self, name: str) -> None:
        """A member stops in order."""
        del self.heard[name]
        await self.members.pop(name).stop()

    async def die(self, name: str) -> None:
        """A member ends without a word."""

        async def say_nothing() -> None:
            pass

        self.members[name]._coordinator._maybe_leave_group = say_nothing
        await self.leave(name)

    @property
    def held(self) -> Held:
        """The partitions of each member; it has the same ones of every topic."""
        held: Held = {}
        for name, heard in self.heard.items():
            given = heard.given[-1] if heard.given else frozenset()
            of = {
                topic.name: {tp.partition for tp in given if tp.topic == topic.name}
                for topic in TOPICS
            }
            first, second = of.values()
            assert first == second, f"{name}: {of}"
            held[name] = frozenset(first)
        return held

    async def settled(self) -> Held:
        """Who has what, once all partitions are held and every member has an even share."""
        least = PARTITIONS // len(self.members)
        await until(
            lambda: (
                sorted(n for each in self.held.values() for n in each) == list(range(PARTITIONS))
                and all(len(each) >= least for each in self.held.values())
            )
        )
        return self.held


@pytest.fixture
async def group(kafka: Kafka, tmp_path: Path) -> AsyncIterator[Group]:
    """A new group, without members."""
    await create_topics(Settings(kafka=kafka.address, partitions=PARTITIONS), TOPICS)
    group = Group(kafka.address, tmp_path)
    yield group
    for member in group.members.values():
        await member.stop()


async def test_who_stops_hands_over_at_once_and_gets_its_own_back(group: Group) -> None:
    """At once: its session would last for as long as this test waits for anything."""
    for name in "wxyz":
        await group.join(name)
    before = await group.settled()
    assert {len(held) for held in before.values()} == {3}
    await group.leave("x")
    without = await group.settled()
    assert all(before[name] <= without[name] for name in without)
    await group.join("x")
    assert await group.settled() == before


async def test_who_crashed_and_is_back_within_its_session_disturbs_nobody(group: Group) -> None:
    for name in "xyz":
        await group.join(name)
    before = await group.settled()
    given = {name: len(group.heard[name].given) for name in "yz"}
    await group.die("x")
    await group.join("x")
    assert await group.settled() == before
    assert {name: len(group.heard[name].given) for name in "yz"} == given


async def test_what_a_crashed_one_had_moves_after_its_session_and_comes_back(group: Group) -> None:
    for name in "wxyz":
        await group.join(name, session=2 if name == "x" else PATIENCE)
    before = await group.settled()
    await group.die("x")
    without = await group.settled()
    assert all(before[name] <= without[name] for name in without)
    await group.join("x")
    assert await group.settled() == before


async def test_who_is_killed_and_comes_back_reading_more_gets_that_too(group: Group) -> None:
    """As when a version that reads another topic replaces one that did not end in order."""
    await group.join("x", topics=TOPICS[:1])
    await until(lambda: len(group.heard["x"].given) == 1)
    await group.die("x")
    await group.join("x")
    everything = {TopicPartition(each.name, n) for each in TOPICS for n in range(PARTITIONS)}
    await until(lambda: group.heard["x"].given[-1:] == [everything])


async def test_who_was_made_to_join_again_bears_its_name_still(group: Group) -> None:
    """As who is killed and comes back reading more: another of its name still fences it off."""
    await group.join("x", topics=TOPICS[:1])
    await until(lambda: len(group.heard["x"].given) == 1)
    await group.die("x")
    await group.join("x")
    await group.settled()
    first = group.members["x"]
    await group.join("x")
    await group.settled()
    with pytest.raises(Misconfigured, match="under our name, x, "):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            await first.getmany(timeout_ms=100)
    await first.stop()


async def test_two_with_one_name_end_with_a_sentence_for_the_first(group: Group) -> None:
    await group.join("x")
    await group.settled()
    first = group.members["x"]
    await group.join("x")
    await group.settled()
    with pytest.raises(Misconfigured, match=r"under our name, x, .* TOCSIN_WORKER_NAME"):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            await first.getmany(timeout_ms=100)
    await first.stop()


async def test_members_that_know_range_alone_are_replaced_one_by_one(group: Group) -> None:
    await group.join("old-1", old=True)
    await group.join("old-2", old=True)
    await group.settled()
    for number in (1, 2):
        await group.join(f"new-{number}")
        await group.settled()
        await group.leave(f"old-{number}")
        await group.settled()
    before = await group.settled()
    # Now that all know it, what is even stays where it is.
    await group.join("new-3")
    after = await group.settled()
    assert all(after[name] < before[name] for name in before)


def test_a_folder_bears_a_name_that_stays_and_lets_one_worker_of_a_role_in(tmp_path: Path) -> None:
    member, lock = member_of(tmp_path, "push", "")
    with pytest.raises(Misconfigured, match=f"push runs with TOCSIN_DATA_DIR={tmp_path}"):
        member_of(tmp_path, "push", "")
    other, other_lock = member_of(tmp_path, "sms", "")
    assert other.name == member.name
    assert other.notes != member.notes
    lock.close()
    other_lock.close()
    again, lock = member_of(tmp_path, "push", "")
    assert again == member
    lock.close()
    named, lock = member_of(tmp_path, "push", "rack-7")
    assert named.name == "rack-7"
    lock.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    another, lock = member_of(elsewhere, "push", "")
    assert another.name != member.name
    lock.close()
