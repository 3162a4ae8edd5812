"""The outside witness: judges what providers accepted against what producers were promised.

Pure, and knows nothing of Tocsin's own counters. It is tested by faults planted into its input.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Key(NamedTuple):
    """One message that somebody should get. With no address, all of that channel."""

    event: str
    user: str
    channel: str
    address: str = ""

    def anywhere(self) -> "Key":
        """The same for every address of the channel."""
        return self._replace(address="")


class Acceptance(NamedTuple):
    """A provider took a message, in the provider call `call` (one call may carry many)."""

    key: Key
    call: str


@dataclass(frozen=True)
class Verdict:
    """What came of the expected messages.

    `lost` have no end at all, `excused` were suppressed or dead and never accepted. A call is a
    duplicate if a message in it was accepted in a later one too: what it wasted is one call,
    however many messages it carried; those are `duplicate_messages`.
    """

    lost: frozenset[Key]
    excused: frozenset[Key]
    duplicate_calls: int
    duplicate_messages: int
    unexpected: frozenset[Key]


def judge(
    expected: Collection[Key],
    accepted: Iterable[Acceptance],
    suppressed: Collection[Key],
    dead: Collection[Key],
) -> Verdict:
    """Hold what was accepted, in the order of acceptance, against what was expected."""
    calls: defaultdict[Key, list[str]] = defaultdict(list)
    for key, call in accepted:
        calls[key].append(call)
    missing = set(expected) - calls.keys()
    ended = {*suppressed, *dead}
    excused = {key for key in missing if key in ended or key.anywhere() in ended}
    return Verdict(
        lost=frozenset(missing - excused),
        excused=frozenset(excused),
        duplicate_calls=len({call for taken in calls.values() for call in taken[:-1]}),
        duplicate_messages=sum(len(taken) - 1 for taken in calls.values()),
        unexpected=frozenset(calls.keys() - set(expected)),
    )


class Output(NamedTuple):
    """A record that the decider wrote, as it stands in its topic."""

    delivery_id: str
    key: Key
    place: str
    value: bytes


@dataclass(frozen=True)
class Collapsed:
    """The decider's output after collapse by delivery id.

    `repeats` are raw records beyond the first of their id, which a crash may leave. `altered` ids
    stand there with two contents or in two places; `doubled` messages have two ids, so no sink
    could tell that they are one.
    """

    ids: int
    repeats: int
    altered: frozenset[str]
    doubled: frozenset[Key]


def collapse(outputs: Iterable[Output]) -> Collapsed:
    """Collapse by id, and look whether that leaves one content for each id and message."""
    contents: defaultdict[str, set[tuple[str, bytes]]] = defaultdict(set)
    ids: defaultdict[Key, set[str]] = defaultdict(set)
    count = 0
    for output in outputs:
        count += 1
        contents[output.delivery_id].add((output.place, output.value))
        ids[output.key].add(output.delivery_id)
    return Collapsed(
        ids=len(contents),
        repeats=count - len(contents),
        altered=frozenset(name for name, found in contents.items() if len(found) > 1),
        doubled=frozenset(key for key, found in ids.items() if len(found) > 1),
    )
