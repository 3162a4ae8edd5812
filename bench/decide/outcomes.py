"""What a contestant decided on the first records, compared with ours output by output."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec
from msgspec import Struct

from bench.decide.topics import Topics
from bench.decide.workload import record_number
from schemas.delivery_event import DeliveryEvent

User = str


class Outcomes(Struct, frozen=True):
    """By user: deliveries byte by byte and in order, and events but for the time of deciding.

    Events have no key, so each contestant spreads them over partitions as it likes: they are
    sorted, and each is there as often as it was written.
    """

    deliveries: dict[User, list[bytes]]
    events: dict[User, list[DeliveryEvent]]


class Record(Protocol):
    """A record, as far as it is compared."""

    @property
    def value(self) -> bytes:
        """What was written."""
        ...


class Readable(Protocol):
    """An arena, as far as it is read."""

    def read(self, topic: str) -> AsyncIterator[Record]:
        """All records of a topic, those of a partition in order."""
        ...


class _Delivery(Struct):
    event_id: str
    user: str


async def outcomes(arena: Readable, topics: Topics, records: int) -> Outcomes:
    """Everything that came of the first `records` events."""
    decode = msgspec.json.Decoder(_Delivery).decode
    decode_events = msgspec.json.Decoder(DeliveryEvent).decode_lines
    deliveries: defaultdict[User, list[bytes]] = defaultdict(list)
    events: defaultdict[User, list[DeliveryEvent]] = defaultdict(list)
    async for record in arena.read(topics.deliver):
        delivery = decode(record.value)
        if record_number(delivery.event_id) < records:
            deliveries[delivery.user].append(record.value)
    async for record in arena.read(topics.delivery_events):
        for event in decode_events(record.value):
            if record_number(event.event_id) < records:
                events[event.user].append(msgspec.structs.replace(event, at=0))
    for of_user in events.values():
        of_user.sort(key=msgspec.json.encode)
    return Outcomes(dict(deliveries), dict(events))


def difference(ours: Outcomes, theirs: Outcomes) -> str | None:
    """The first thing in which they differ, in a sentence; None if they are alike.

    One output too many or too few, with another byte, or a delivery before another of its user's
    that it should follow is a difference.
    """
    for what in ("deliveries", "events"):
        mine, other = getattr(ours, what), getattr(theirs, what)
        odd = sorted(
            user for user in mine.keys() | other.keys() if mine.get(user) != other.get(user)
        )
        if odd:
            user = odd[0]
            return (
                f"{what} of {len(odd)} users differ; {user} has {mine.get(user)!r} by ours and "
                f"{other.get(user)!r} by the other"
            )
    return None
