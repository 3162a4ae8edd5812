"""What members say of themselves when they join, and what the leader makes of it."""

from pathlib import Path
from typing import Any

from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)

from pipeline.consuming.sticky_assignor import StickyAssignor

Given = dict[str, dict[str, list[int]]]


class Cluster:
    """As many partitions of each topic as a test says."""

    def __init__(self, **partitions: int) -> None:
        self._partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Their numbers; None of an unknown topic."""
        count = self._partitions.get(topic)
        return None if count is None else set(range(count))


def share(cluster: Cluster, **members: tuple[StickyAssignor, list[str]]) -> Given:
    """What each member is given of each topic, over the wire."""
    said = {
        name: ConsumerProtocolMemberMetadata.decode(assignor.metadata(topics).encode())
        for name, (assignor, topics) in members.items()
    }
    return _given(StickyAssignor().assign(cluster, said))


def _given(assigned: dict[str, Any]) -> Given:
    return {
        name: dict(ConsumerProtocolMemberAssignment.decode(each.encode()).assignment)
        for name, each in assigned.items()
    }


def remembering(generation: int, *numbers: int, file: Path | None = None) -> StickyAssignor:
    """A member that was given these partitions."""
    assignor = StickyAssignor(file)
    given = [("a", list(numbers)), ("b", list(numbers))]
    assignor.remember(generation, ConsumerProtocolMemberAssignment(0, given, b""))
    return assignor


def test_a_partition_of_all_topics_is_with_one_member_who_keeps_it() -> None:
    topics = ["b", "a"]
    given = share(
        Cluster(a=4, b=4),
        one=(remembering(3, 1, 2), topics),
        two=(remembering(3, 0, 3), topics),
    )
    assert given == {"one": {"a": [1, 2], "b": [1, 2]}, "two": {"a": [0, 3], "b": [0, 3]}}


def test_a_file_brings_what_a_member_had_over_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "assigned"
    remembering(3, 0, 3, file=file)
    back = StickyAssignor(file)
    given = share(Cluster(a=4), new=(StickyAssignor(), ["a"]), back=(back, ["a"]))
    assert given["back"] == {"a": [0, 3]}


def test_a_file_that_can_not_be_read_or_written_costs_nothing_but_moves(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\xff{")
    for file in (broken, tmp_path / "no" / "folder"):
        assert share(Cluster(a=2), one=(StickyAssignor(file), ["a"])) == {"one": {"a": [0, 1]}}
        assert share(Cluster(a=2), one=(remembering(1, 0, file=file), ["a"]))["one"]["a"] == [0, 1]


def test_members_of_other_versions_are_given_their_share() -> None:
    """What they say is not understood, so nothing that they may have is known."""
    newer = ConsumerProtocolMemberMetadata(0, ["a"], b'{"generation": "ninth"}')
    silent = ConsumerProtocolMemberMetadata(0, ["a"], b"")
    ours = remembering(1, 0, 1, 2).metadata(["a"])
    given = _given(StickyAssignor().assign(Cluster(a=3), {"n": newer, "s": silent, "o": ours}))
    assert sorted(number for each in given.values() for number in each["a"]) == [0, 1, 2]
    assert [len(each["a"]) for each in given.values()] == [1, 1, 1]


def test_a_topic_waits_where_its_partitions_member_does_not_subscribe() -> None:
    """As while versions change: state in partition 1 must not be read in two places."""
    given = share(
        Cluster(a=2, b=2),
        old=(remembering(1, 0), ["a"]),
        new=(remembering(1, 1), ["a", "b"]),
    )
    assert given == {"old": {"a": [0]}, "new": {"a": [1], "b": [1]}}


def test_a_topic_that_is_not_there_yet_gives_nothing() -> None:
    given = share(Cluster(a=1), one=(StickyAssignor(), ["a", "missing"]))
    assert given == {"one": {"a": [0], "missing": []}}
