"""The offset at which a partition of a topic continues, and what must not be skipped silently.

A frontier is stored with the state and committed to the group; the later one counts. Where neither
can be right, records would be lost if the worker went on: an operator decides then.
"""

import logging
from enum import Enum

from aiokafka import TopicPartition
from msgspec import Struct

from pipeline.monitoring import metrics
from schemas.errors import LostPlace
from schemas.topics import STATEFUL, changelog

log = logging.getLogger(__name__)


class Bounds(Struct, frozen=True):
    """What Kafka says of a partition: where its log starts and ends, and what was committed."""

    start: int
    end: int
    committed: int | None = None


class Stored(Struct, frozen=True):
    """The frontiers that a state holds, by topic; `is_new` if nothing was ever stored in it."""

    frontiers: dict[str, int]
    is_new: bool = False


class Finding(Enum):
    """Why a worker does not go on by itself."""

    BEYOND_END = "beyond the end"
    STATE_LOST = "state lost"
    STATE_BEHIND = "state behind"


EXPLAINED = {
    Finding.BEYOND_END: "it is processed up to {known}, but its log ends at {end}: the topic was "
    "created anew, or lost its newest records",
    Finding.STATE_LOST: "its group has committed {committed}, but the role's changelog is empty: "
    "it was created anew",
    Finding.STATE_BEHIND: "its group has committed {committed}, but the role's state is only of "
    "{stored}: the changelog lost its newest records, or the commit was moved",
}


def find(role: str, topic: str, bounds: Bounds, stored: Stored) -> Finding | None:
    """What is wrong about a topic's frontiers in one partition, if anything."""
    committed, at = bounds.committed or 0, stored.frontiers.get(topic, 0)
    if max(committed, at) > bounds.end:
        return Finding.BEYOND_END
    # Where retention passed a group, the log's start is committed without any state.
    if role not in STATEFUL or committed <= bounds.start:
        return None
    if stored.is_new:
        return Finding.STATE_LOST
    # What a sink stores goes after a while, its frontiers too.
    return Finding.STATE_BEHIND if at < committed and not changelog(role).retention_ms else None


def frontier_of(role: str, partition: TopicPartition, bounds: Bounds, stored: Stored) -> int:
    """The offset to go on at; raises LostPlace where that can't be known."""
    topic = partition.topic
    known = max(bounds.committed or 0, stored.frontiers.get(topic, 0))
    finding = find(role, topic, bounds, stored)
    if finding is not None:
        raise lost_place(role, partition, finding, bounds, stored)
    if 0 < known < bounds.start:
        tell_of_retention(role, partition, known, bounds.start)
    return max(known, bounds.start)


def lost_place(
    role: str,
    partition: TopicPartition,
    finding: Finding,
    bounds: Bounds,
    stored: Stored,
) -> LostPlace:
    """What was found, what was kept, and which command decides, in one sentence."""
    at = stored.frontiers.get(partition.topic, 0)
    why = EXPLAINED[finding].format(
        known=max(bounds.committed or 0, at),
        end=bounds.end,
        committed=bounds.committed,
        stored=at,
    )
    return LostPlace(
        f"{partition.topic}-{partition.partition}: {why}. Nothing more was processed, and all that "
        f"is stored and committed was kept. `tocsin frontiers {role}` shows every such place, and "
        "with --accept sets where to continue."
    )


def tell_of_retention(role: str, partition: TopicPartition, at: int, start: int) -> None:
    """Log and count that records were deleted before the role read them."""
    metrics.RETENTION_PASSED.labels(role, partition.topic).inc(start - at)
    log.error(
        "%s-%d: retention deleted %d records before this group read them; it continues at %d. "
        "Scale the role, or keep the topic for longer.",
        partition.topic,
        partition.partition,
        start - at,
        start,
    )
