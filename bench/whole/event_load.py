"""The demo's stream of events, written to Kafka at a pace by a process of its own.

Repeats, events without a key, late ones and presence are among them as in the demo; what can't be
decoded is left out. Each name of a stream has events of its own. The first line that it prints
says when the stream begins (epoch ms), the last one how late its last record was written (s).
"""

import asyncio
import sys
from asyncio import Future
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from demo.dataset.world import World, make_world
from demo.produce.happening import Happening
from demo.produce.kafka_writer import KafkaWriter
from demo.produce.producer import LEAD, LEAD_PER_EVENT
from demo.produce.stream import stream


def load(world: World, name: str, events: int, seconds: float, start: datetime) -> list[Happening]:
    """What is written under this name, in the order it is due; pure."""
    drawn = stream(world, events, seconds, start, crc32(name.encode()))
    return list(_named(name, drawn))


def _named(name: str, happenings: list[Happening]) -> Iterator[Happening]:
    for happening in happenings:
        value = happening.value
        if happening.bad or isinstance(value, bytes):
            continue
        if happening.topic == "events":
            value = value | {"id": f"{name}-{value['id']}"}
        yield replace(happening, value=value)


async def write(kafka: str, users: int, name: str, events: int, seconds: float) -> None:
    """Write it; returns once Kafka has acknowledged all."""
    world = make_world(count=users)
    lead = timedelta(seconds=LEAD + LEAD_PER_EVENT * events)
    sending: list[Future[Any]] = []
    async with KafkaWriter(kafka) as writer:
        start = datetime.now(UTC) + lead
        happenings = load(world, name, events, seconds, start)
        _say(round(start.timestamp() * 1000))
        for happening in happenings:
            wait = (start - datetime.now(UTC)).total_seconds() + happening.due
            if wait > 0:
                await asyncio.sleep(wait)
            sending.append(await writer.send(happening.topic, happening.key, happening.value))
        late = (datetime.now(UTC) - start).total_seconds() - seconds
        await asyncio.gather(*sending)
    _say(round(max(0.0, late), 3))


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    kafka_, users_, name_, events_, seconds_ = sys.argv[1:]
    asyncio.run(write(kafka_, int(users_), name_, int(events_), float(seconds_)))
