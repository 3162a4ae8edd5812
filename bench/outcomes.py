"""What a contestant decided on the first records, to see that all decided alike."""

import msgspec
from msgspec import Struct

from bench.arena import Arena
from bench.topics import Topics
from bench.workload import record_number
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Reason, Stage


class Outcomes(Struct, frozen=True):
    """Deliveries byte by byte, and what was told of each decision but for the time it was made."""

    deliveries: frozenset[bytes]
    told: frozenset[tuple[str, Stage, Reason, str]]


class _Delivery(Struct):
    delivery_id: str
    event_id: str


async def outcomes(arena: Arena, topics: Topics, records: int) -> Outcomes:
    """Everything that came of the first `records` events."""
    decode = msgspec.json.Decoder(_Delivery).decode
    decode_events = msgspec.json.Decoder(DeliveryEvent).decode_lines
    deliveries = {
        record.value
        async for record in arena.read(topics.deliver)
        if record_number(decode(record.value).event_id) < records
    }
    events = [
        event
        async for record in arena.read(topics.delivery_events)
        for event in decode_events(record.value)
    ]
    told = {
        (event.id, event.stage, event.reason, event.detail)
        for event in events
        if record_number(event.event_id) < records
    }
    return Outcomes(frozenset(deliveries), frozenset(told))
