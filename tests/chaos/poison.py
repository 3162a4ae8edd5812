"""Records that once ended whoever read them, and what is to become of each."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from demo.produce.producer_log import BadClaim, record_digest

NOW = datetime.now(UTC).isoformat()
USER = "poisoner"


class Poison(NamedTuple):
    """A topic, a value under the key USER, and the reason with which it is to be set aside."""

    topic: str
    value: Callable[[int], bytes]
    reason: str


def _event(**fields: object) -> Callable[[int], bytes]:
    def value(number: int) -> bytes:
        said = {
            "id": f"poison-{number}",
            "type": "order.shipped",
            "actor": USER,
            "occurred_at": NOW,
            "data": {"customer_id": USER, "order_id": "1", "carrier": "x", "tracking_number": "1"},
        }
        return json.dumps(said | fields).encode()

    return value


def _of_user(**fields: object) -> Callable[[int], bytes]:
    return lambda _: json.dumps({"user": USER, **fields}).encode()


def _nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


POISON = {
    "a phone of 70,000 digits": Poison("contacts", _of_user(phone="+" + "1" * 70_000), "invalid"),
    "an address of 70,000 characters": Poison("contacts", _of_user(email="a" * 70_000), "invalid"),
    "ten thousand devices": Poison(
        "contacts", _of_user(devices=[{"token": str(n)} for n in range(10_000)]), "invalid"
    ),
    "feedback on a UUID with dashes": Poison(
        "feedback",
        _of_user(notification_id="550e8400-e29b-41d4-a716-446655440000", stage="seen", at=NOW),
        "invalid",
    ),
    "presence beyond the calendar": Poison(
        "presence", _of_user(online=True, until="9999-12-31T23:59:59-14:00"), "invalid"
    ),
    "an event beyond the calendar": Poison(
        "events", _event(occurred_at="9999-12-31T23:59:59-01:00", deliver_at=NOW), "invalid"
    ),
    "an event before all calendars": Poison(
        "events", _event(occurred_at="0001-01-01T00:00:00+14:00"), "invalid"
    ),
    "data 300 levels deep": Poison("events", _event(data={"x": _nested(300)}), "invalid"),
    "data 5,000 levels deep": Poison(
        "events",
        lambda number: _event()(number).replace(b'"1"', b"[" * 5000 + b"]" * 5000, 1),
        "undecodable",
    ),
    "data of 600 KiB": Poison("events", _event(data={"x": "y" * 600_000}), "invalid"),
    "an id of a megabyte": Poison("events", _event(id="x" * 900_000), "invalid"),
    "a number of 10,000 digits for a name": Poison(
        "events",
        lambda number: _event()(number).replace(b'"poisoner"', b"9" * 10_000, 1),
        "invalid",
    ),
    "no JSON at all": Poison("events", lambda _: b"\x00\xff{", "undecodable"),
}
"""By what is wrong with it."""


async def write_poison(
    producer: AIOKafkaProducer, names: list[str], numbers: Iterator[int]
) -> list[BadClaim]:
    """Write one of each; on return the broker has them."""
    claims = []
    for name in names:
        poison = POISON[name]
        value = poison.value(next(numbers))
        at = await producer.send_and_wait(poison.topic, value, USER.encode())
        digest = record_digest(USER.encode(), value)
        claims.append(
            BadClaim(
                bad=name,
                reason=poison.reason,
                digest=digest,
                topic=at.topic,
                partition=at.partition,
                offset=at.offset,
            )
        )
    return claims
