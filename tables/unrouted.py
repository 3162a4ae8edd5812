"""Events of which the router has written a part of the records: the rest follows in steps."""

from msgspec import Struct

from schemas.event import Event
from schemas.request import Origin
from schemas.topics import EVENTS
from schemas.vocabulary import Priority
from tables.storage.table import Table, key_of

_URGENCY = tuple(Priority)


class Unrouted(Struct, frozen=True, array_like=True):
    """An event, accepted at `at` (epoch ms), of which the first `done` records of a type are out.

    `is_bulk` says that they go to the bulk topics.
    """

    type: str
    event: Event
    origin: Origin
    at: int
    done: int
    is_bulk: bool = False


UNROUTED = Table(b"k", Unrouted)
"""The most urgent first, and of these in the order in which they came."""


def unrouted_key(left: Unrouted, priority: Priority) -> bytes:
    """Its place in the table, by the priority of its type."""
    urgency = _URGENCY.index(Priority.BULK if left.is_bulk else priority)
    origin = left.origin
    # Events that were moved here come of other partitions, and their offsets may be the same.
    place = (
        [f"{origin.partition}"]
        if origin.topic == EVENTS.name
        else [
            f"{origin.partition}",
            origin.topic,
        ]
    )
    return key_of(f"{urgency}", f"{origin.offset:020}", left.type, *place)
