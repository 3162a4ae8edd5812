"""The assignment strategy of our groups, as Kafka's client calls it."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)

from pipeline.consuming.assignment import Claim, assign

VERSION = 0
log = logging.getLogger(__name__)


class StickyAssignor(AbstractPartitionAssignor):
    """Partition p of all topics to one member, as stored state needs it, and the same one again.

    Each member says when it joins what it had last, and the leader goes by that. Where there is a
    file, that is known after a crash too. A topic to which a partition's member does not subscribe,
    as it may be while versions change, waits until its member does.
    """

    name = "tocsin-sticky"

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._claim = _read(file)

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What we say when we join."""
        return ConsumerProtocolMemberMetadata(
            VERSION, sorted(topics), msgspec.json.encode(self._claim)
        )

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """What each member gets, as the group's leader says it."""
        topics = {topic for member in members.values() for topic in member.subscription}
        numbers = {topic: cluster.partitions_for_topic(topic) or set() for topic in topics}
        claims = {name: _decoded(member.user_data) for name, member in members.items()}
        assigned = assign(set().union(*numbers.values()), claims)
        return {
            name: ConsumerProtocolMemberAssignment(
                VERSION,
                [
                    (topic, sorted(assigned[name] & numbers[topic]))
                    for topic in sorted(member.subscription)
                ],
                b"",
            )
            for name, member in members.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """What the client calls without the generation: see `remember`."""

    def remember(self, generation: int, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Claim what was assigned in this generation, whichever strategy it was assigned by."""
        numbers = frozenset(tp.partition for tp in assignment.partitions())
        self._claim = Claim(generation, numbers)
        if self._file is not None:
            try:
                self._file.write_bytes(msgspec.json.encode(self._claim))
            except OSError as error:
                # It costs some moves after a crash, and nothing else.
                log.warning("What was assigned can't be noted in %s: %s", self._file, error)


def _read(file: Path | None) -> Claim:
    try:
        return _decoded(file.read_bytes()) if file is not None else Claim()
    except OSError:
        return Claim()


def _decoded(data: bytes | None) -> Claim:
    """A member's claim; none of a member that says something else, such as a newer version."""
    try:
        return msgspec.json.decode(data or b"", type=Claim)
    except msgspec.MsgspecError:
        return Claim()
