"""What the judge of notifications does not look at: wasted calls, and the decider's own output.

Pure, and tested by faults planted into its input.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embedded.simulators.accept_log import Accepted


class Key(NamedTuple):
    """One message that somebody should get."""

    event: str
    user: str
    channel: str
    address: str = ""


def wasted_calls(lines: Iterable[Accepted]) -> int:
    """How many provider calls carried a message that a later call carried again.

    A call that carried many such messages counts once.
    """
    calls: defaultdict[str, list[str]] = defaultdict(list)
    for line in lines:
        calls[line.delivery_id].append(line.reference)
    return len({call for taken in calls.values() for call in taken[:-1]})


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
