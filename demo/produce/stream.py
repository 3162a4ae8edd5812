"""The stream of the demo: events at a steady rate, with repeats, bad records and presence."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo.dataset.events import Events
from demo.dataset.world import World
from demo.produce.happening import Happening

REPEATED = 0.01
"""Share of events that the producer writes twice, as one does after a timeout."""
REPEAT_AFTER = 0.03
"""Share of the stream's length after which the repeat comes."""
STALE = 0.05
STALE_BY = tuple(timedelta(minutes=late) for late in (3, 7, 11, 20))
"""Share of rides that a driver's phone reports late, when it finds the network again, and how
late: a ride's news lives for ten minutes."""
ORDER = "order.placed"
ORDERED = 0.5
"""Share of carts that are ordered after all, which ends their reminders."""
ORDERED_AFTER = 0.05
"""Share of the stream's length after which the order comes at the latest."""
INCIDENTS = 100
"""Events to one incident."""
ACKNOWLEDGED = 0.5
"""Share of incidents that somebody acknowledges, which ends them for all."""
ACKNOWLEDGED_AFTER = 0.4
"""Share of the stream's length after which that comes at the latest."""
BROKEN = ("Payments fail", "Search is slow", "No orders for 5 minutes")
UNKEYED_EVERY = 50
"""Events of which one is written without a key, and so to any partition."""
ONLINE_FOR = timedelta(minutes=10)


def stream(
    world: World, events: int, seconds: float, start: datetime, seed: int
) -> list[Happening]:
    """Everything to write, in the order it is due; pure.

    `start` is when the stream begins: an event's time is the moment it is due at, never later
    than when it is written.
    """
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    source = Events(world, random)
    everything = list(_events(source, events, seconds, start, random))
    everything += _incidents(world, events, seconds, start, seed)
    everything += _presence(source, seconds, start, random)
    everything += _bad(seconds, start)
    return sorted(everything, key=lambda happening: happening.due)


def _events(
    source: Events, events: int, seconds: float, start: datetime, random: Random
) -> Iterator[Happening]:
    for number in range(events):
        due = seconds * number / events
        kind, (actor, data) = source.draw(number)
        at = start + timedelta(seconds=due)
        if kind == "ride.matched" and random.random() < STALE:
            at -= random.choice(STALE_BY)
        value = _event(f"demo-{number:07d}", kind, actor, at, data)
        key = None if number % UNKEYED_EVERY == 0 else actor
        yield Happening(due=due, topic="events", key=key, value=value)
        if random.random() < REPEATED:
            later = min(due + seconds * REPEAT_AFTER, seconds)
            yield Happening(due=later, topic="events", key=actor, value=value, repeat=True)
        if kind == "cart.left" and random.random() < ORDERED:
            due = min(due + random.random() * seconds * ORDERED_AFTER, seconds)
            said = {name: data[name] for name in ("customer_id", "cart_id")}
            at, name = start + timedelta(seconds=due), f"demo-{number:07d}-order"
            order = _event(name, ORDER, actor, at, said)
            yield Happening(due=due, topic="events", key=actor, value=order)


def _incidents(
    world: World, events: int, seconds: float, start: datetime, seed: int
) -> Iterator[Happening]:
    """Of dice of its own, so that the other events are the same with and without them."""
    random = Random(f"incidents {seed}")  # noqa: S311 - repeatable, not secret
    count = max(1, events // INCIDENTS)
    for number in range(count):
        due = seconds * number / count
        first, also, *others = random.sample(world.users, 4)
        data: dict[str, Any] = {
            "incident_id": f"incident-{number}",
            "title": random.choice(BROKEN),
            "on_call": random.choice((first, [first, also])),
            "url": f"https://status.example/incident-{number}",
        }
        # Who is named before is not called again, and nobody need be behind.
        data |= random.choice(
            (
                dict(zip(("backup", "manager"), others, strict=True)),
                {"backup": others[0], "manager": [first, others[1]]},
                {"manager": others[1]},
                {},
            )
        )
        name, actor = f"demo-incident-{number:05d}", f"monitor-{number % 3}"
        at = start + timedelta(seconds=due)
        opened = _event(name, "incident.opened", actor, at, data)
        yield Happening(due=due, topic="events", key=actor, value=opened)
        if random.random() < ACKNOWLEDGED:
            due = min(due + random.random() * seconds * ACKNOWLEDGED_AFTER, seconds)
            at, said = start + timedelta(seconds=due), {"incident_id": data["incident_id"]}
            event = _event(f"{name}-seen", "incident.acknowledged", first, at, said)
            yield Happening(due=due, topic="events", key=first, value=event)


def _presence(
    source: Events, seconds: float, start: datetime, random: Random
) -> Iterator[Happening]:
    for user in source.cast.online:
        due = random.random() * seconds * 0.4
        yield _present(user, True, due, start)
        if random.random() < 0.2:
            yield _present(user, False, due + seconds * 0.4, start)


def _present(user: str, online: bool, due: float, start: datetime) -> Happening:
    until = start + timedelta(seconds=due) + ONLINE_FOR
    value = {"user": user, "online": online, "until": until.isoformat()}
    return Happening(due=due, topic="presence", key=user, value=value)


def _bad(seconds: float, start: datetime) -> Iterator[Happening]:
    at = start.isoformat()
    good = _event("demo-bad", "order.shipped", "shop-00", start, {"customer_id": "user-00000"})
    nameless = {"type": "order.shipped", "actor": "shop-00", "occurred_at": at}
    unknown = good | {"type": "moon.landed"}
    incomplete = good | {"data": {"order_id": "A-1"}}
    large = json.dumps(good | {"id": "x" * (2 << 20)}).encode()
    records: list[tuple[str, str, str, dict[str, Any] | bytes]] = [
        ("no JSON", "undecodable", "shop-00", b'{"id": "demo-bad", "type": '),
        ("no UTF-8", "undecodable", "shop-00", b'{"id": "\xff\xfe"}'),
        ("no id", "invalid", "shop-00", nameless),
        ("an unknown event type", "unknown_type", "shop-00", unknown),
        ("no recipient in its data", "invalid", "shop-00", incomplete),
        ("a megabyte too large", "too_large", "shop-00", large),
    ]
    for number, (what, reason, key, value) in enumerate(records, 1):
        due = seconds * number / (len(records) + 1)
        yield Happening(due=due, topic="events", key=key, value=value, bad=what, reason=reason)


def _event(name: str, kind: str, actor: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "type": kind,
        "actor": actor,
        "occurred_at": at.isoformat(timespec="milliseconds"),
        "data": data,
    }
