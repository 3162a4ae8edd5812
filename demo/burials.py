"""Dead letters: which ones the producer asked for, and what the others put an end to."""

import json
from collections.abc import Iterable
from typing import Any

from demo.disproof import Slot
from demo.producer_log import BadClaim
from schemas.dead_letter import DeadLetter


class Burials:
    """An index of dead letters by where they came from and by what they held."""

    def __init__(self, letters: Iterable[DeadLetter]) -> None:
        self._places: set[tuple[str, int, int]] = set()
        self._ends: set[tuple[str, ...]] = set()
        for letter in {letter.id: letter for letter in letters}.values():
            self._places.add((letter.topic, letter.partition, letter.offset))
            self._ends.add(_ended(letter.value))
        self.count = len(self._places)

    def holds(self, bad: BadClaim) -> bool:
        """Whether the bad record was set aside under its own offset."""
        return (bad.topic, bad.partition, bad.offset) in self._places

    def ended(self, slot: Slot, address: str) -> bool:
        """Whether this message, or the request or the event before it, is a dead letter."""
        event = slot.claim.id
        request = (event, slot.user, slot.kind.name)
        broadcast = (event, slot.kind.name)
        delivery = (*request, slot.channel, address)
        return not self._ends.isdisjoint({delivery, request, broadcast, (event,)})


def _ended(value: bytes | None) -> tuple[str, ...]:
    try:
        record: Any = json.loads(value or b"null")
        if "delivery_id" in record:
            fields = ("event_id", "user", "type", "channel", "address")
            return tuple(record[field] for field in fields)
        if "event" in record:
            told = (record["user"],) if "user" in record else ()
            return (record["event"]["id"], *told, record["type"])
        return (record["id"],)
    except (ValueError, TypeError, KeyError):
        return ()
