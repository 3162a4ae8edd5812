"""The frontiers of a role as a whole: what is wrong about them, and an operator's word on it."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from enum import Enum

from aiokafka import TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from msgspec import Struct

from pipeline.admin.end_offsets import learn
from pipeline.kafka.clients import reader
from pipeline.processing.frontiers import Bounds, Finding, Stored, find
from pipeline.producing.producer import start_producer
from pipeline.producing.write_queue import Entry
from pipeline.settings import Settings
from schemas.errors import Unavailable, WrongUsage
from schemas.topics import INPUTS, STATEFUL, changelog, group_of
from tables.storage.changelog_fold import Fold
from tables.storage.finished_ahead import AHEAD
from tables.storage.restore import Changelog
from tables.storage.store import FRONTIER, OFFSET
from tables.storage.table import key_of

_HAS_MEMBERS = (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
"""What Kafka answers to a commit from outside of a group that has members."""


class GoOn(Enum):
    """Where an operator says to go on."""

    START = "start"
    COMMIT = "commit"
    END = "end"


class Frontier(Struct, frozen=True):
    """A topic's frontiers in one partition of a role, as they are stored and committed."""

    partition: TopicPartition
    bounds: Bounds
    stored: int | None
    finding: Finding | None

    def place(self, at: GoOn) -> int:
        """The offset that is meant; raises WrongUsage for a commit that the log can't have."""
        if at is GoOn.START:
            return self.bounds.start
        committed = self.bounds.committed or 0
        if at is GoOn.COMMIT and committed > self.bounds.end:
            raise WrongUsage(
                f"{self.partition.topic}-{self.partition.partition} ends at {self.bounds.end}, "
                f"before what was committed ({committed}); accept start or end. Nothing was "
                "changed."
            )
        return committed if at is GoOn.COMMIT else self.bounds.end


async def read_frontiers(settings: Settings, role: str) -> list[Frontier]:
    """The frontiers of every topic that a role reads, by topic and partition.

    Reads the whole changelog. Raises Unavailable without a broker.
    """
    topics = [topic.name for topic in INPUTS[role]]
    tps = [TopicPartition(topic, n) for topic in topics for n in range(settings.partitions)]
    async with reader(settings.brokers, group_id=group_of(role)) as consumer:
        await learn(consumer, topics)
        consumer.assign(tps)
        committed = {tp: await consumer.committed(tp) for tp in tps}
        # Where the role runs, each can only be later than what was asked before it.
        numbers = range(settings.partitions)
        stored = await asyncio.gather(*(_stored(settings, role, number) for number in numbers))
        starts, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
    return [
        Frontier(
            tp,
            bounds := Bounds(starts[tp], ends[tp], committed[tp]),
            stored[tp.partition].frontiers.get(tp.topic),
            find(role, tp.topic, bounds, stored[tp.partition]),
        )
        for tp in tps
    ]


async def stored_frontiers(
    settings: Settings, role: str, tps: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """How far a role's state is in these partitions, of whatever topics, as its changelog has it.

    Those of which it has nothing are left out. Raises Unavailable without a broker.
    """
    wanted = list(tps)
    numbers = sorted({tp.partition for tp in wanted})
    found = await asyncio.gather(*(_stored(settings, role, number) for number in numbers))
    frontiers = {number: each.frontiers for number, each in zip(numbers, found, strict=True)}
    return {tp: at for tp in wanted if (at := frontiers[tp.partition].get(tp.topic)) is not None}


async def accept(settings: Settings, role: str, found: Sequence[Frontier], at: GoOn) -> None:
    """Have the role go on there in these partitions; it must not run.

    Raises Unavailable while it does, with nothing changed.
    """
    places = {each.partition: each.place(at) for each in found}
    # First, as Kafka refuses it while the group has members.
    await _commit(settings, role, places)
    if role in STATEFUL:
        producer = await start_producer(settings.brokers)
        try:
            for number in sorted({tp.partition for tp in places}):
                topic = changelog(role).name
                await producer.open(topic, number)
                here = ((tp.topic, at) for tp, at in places.items() if tp.partition == number)
                await producer.write(topic, number, _entries(here))
        finally:
            await producer.stop()


def _entries(frontiers: Iterable[tuple[str, int]]) -> list[Entry]:
    entries: list[Entry] = []
    for topic, at in frontiers:
        entries.append((FRONTIER + topic.encode(), OFFSET.pack(at)))
        # What was done beyond the old frontier are other records now, or none.
        entries.append((AHEAD.prefix + key_of(topic), None))
    return entries


async def _commit(settings: Settings, role: str, places: dict[TopicPartition, int]) -> None:
    async with reader(settings.brokers, group_id=group_of(role)) as consumer:
        consumer.assign(list(places))
        try:
            await consumer.commit(places)
        except _HAS_MEMBERS as error:
            raise Unavailable(
                f"The role {role} is running, or was a moment ago, and would go on by what it "
                "knows. Stop all its workers first. Nothing was changed."
            ) from error


async def _stored(settings: Settings, role: str, number: int) -> Stored:
    if role not in STATEFUL:
        return Stored({})
    source = Changelog(settings.brokers, changelog(role).name, number, lambda key, value: None)
    frontiers: dict[str, int] = {}
    is_empty, fold = True, Fold()
    async with aclosing(source.changes_from(0)) as read:
        async for records, _ in read:
            for key, value in fold.take(records, 0):
                is_empty = False
                if key is not None and key.startswith(FRONTIER) and value is not None:
                    frontiers[key[len(FRONTIER) :].decode()] = OFFSET.unpack(value)[0]
    return Stored(frontiers, is_empty and not source.begins_at)
