"""Positions: what a write is answered with, and what a later read waits for."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from schemas.topics import (
    BLOCKS,
    CANCELLATIONS,
    CONTACTS,
    DELIVER,
    DEVICES,
    ERASURES,
    EVENTS,
    FOLLOWS,
    INBOX_CHANGES,
    PREFERENCES,
    PROFILE_CHANGES,
)
from schemas.vocabulary import Channel, Priority
from web.api.problem import Problem

_INBOX = (DELIVER[Channel.INAPP, priority] for priority in Priority)
_SAID = (BLOCKS, CONTACTS, DEVICES, ERASURES, INBOX_CHANGES, PREFERENCES, PROFILE_CHANGES)
_OWN = {topic.name for topic in (*_SAID, *_INBOX)}
"""Topics that are keyed by the user who reads: their partition goes without saying."""
_ROUTED = {topic.name for topic in (EVENTS, FOLLOWS, CANCELLATIONS)}
"""Topics that the router reads, in the partition of an actor: it has to be named."""
_PLACE = re.compile(r"(?P<topic>[^:/]+)(?:/(?P<partition>[0-9]{1,4}))?:(?P<offset>[0-9]{1,18})")
MOST = 1000
"""Places in one position: as many partitions as a write may touch at most."""


class Position(Struct, frozen=True):
    """Where something was written: a read that is given this position shows it."""

    position: str


class Places(NamedTuple):
    """What a position says: offsets by topic, which are to be done before."""

    own: Mapping[str, int]
    """In the partition of the user who reads."""
    routed: Mapping[int, Mapping[str, int]]
    """In any partition of the router's, by its number."""


def written(ends: Mapping[tuple[str, int], int]) -> str:
    """The position of what was written to be routed, by topic and partition the offset after it."""
    return ",".join(f"{topic}/{number}:{end}" for (topic, number), end in sorted(ends.items()))


def places_of(position: str | None, partitions: int) -> Places:
    """What a position says, or several with commas between; raises Problem for anything else."""
    own: dict[str, int] = {}
    routed: defaultdict[int, dict[str, int]] = defaultdict(dict)
    texts = position.split(",") if position else []
    for text in texts[: MOST + 1]:
        match = _PLACE.fullmatch(text.strip())
        if match is None or len(texts) > MOST:
            raise _unknown()
        topic, number, offset = match["topic"], match["partition"], int(match["offset"])
        if topic in _OWN and number is None:
            found = own
        elif topic in _ROUTED and number is not None and int(number) < partitions:
            found = routed[int(number)]
        else:
            raise _unknown()
        found[topic] = max(offset, found.get(topic, 0))
    return Places(own, routed)


def own_places(positions: Iterable[str]) -> dict[str, int]:
    """The furthest of positions in one user's own partition; raises Problem."""
    return dict(places_of(",".join(positions), 0).own)


def _unknown() -> Problem:
    return Problem(400, "The position is not one that a write was answered with.")
