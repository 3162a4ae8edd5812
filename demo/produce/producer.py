"""The demo's producer, a process of its own with a plain Kafka client.

`python -m demo.produce.producer --kafka HOST:PORT --log FILE --seed N world` writes who there is,
and `… events --events N --seconds S` what they do. It knows Tocsin by its documented topics and
JSON alone, and logs each record as it was written.
"""

import argparse
import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.dataset.world import USERS, make_world
from demo.produce.happening import Happening
from demo.produce.kafka_writer import KafkaWriter, record_of
from demo.produce.producer_log import Line, ProducerLog, record_digest
from demo.produce.stream import stream

LOG_EVERY = 0.05
"""Seconds between writes to the log; each costs an fsync."""
LEAD = 0.2
LEAD_PER_EVENT = 0.00005
"""Seconds in which the stream is made up before it begins."""


async def write_world(kafka: str, seed: int, users: int = USERS) -> None:
    """Write contacts, preferences, follows and clicks; on return the broker has them all."""
    world = make_world(seed, users)
    async with KafkaWriter(kafka) as writer:
        await writer.send_all("contacts", "user", world.contacts.values())
        await writer.send_all("preferences", "user", world.preferences.values())
        await writer.send_all("follows", "followee", world.follows())
        await writer.send_all("suppressions", "user", world.subscriptions())
        await writer.send_all("blocks", "user", world.block_records())


async def write_events(kafka: str, path: Path, seed: int, events: int, seconds: float) -> None:
    """Write the stream at its pace, and to the log whatever the broker took; raises KafkaError."""
    world = make_world(seed)
    async with KafkaWriter(kafka) as writer:
        start = datetime.now(UTC) + timedelta(seconds=LEAD + LEAD_PER_EVENT * events)
        happenings = stream(world, events, seconds, start, seed)
        sent: deque[tuple[Happening, asyncio.Future[Any]]] = deque()
        done = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_keep_log(ProducerLog(path), sent, done))
            for happening in happenings:
                await _until(start + timedelta(seconds=happening.due))
                value = happening.value
                sent.append((happening, await writer.send(happening.topic, happening.key, value)))
            done.set()


async def _until(moment: datetime) -> None:
    wait = (moment - datetime.now(UTC)).total_seconds()
    if wait > 0:
        await asyncio.sleep(wait)


async def _keep_log(
    log: ProducerLog, sent: deque[tuple[Happening, asyncio.Future[Any]]], done: asyncio.Event
) -> None:
    while sent or not done.is_set():
        if done.is_set():
            await asyncio.wait([future for _, future in sent])
        lines = []
        while sent and sent[0][1].done():
            happening, future = sent.popleft()
            lines.append(line_of(happening, future.result()))
        if lines:
            await asyncio.to_thread(log.append, lines)
        await asyncio.sleep(LOG_EVERY)
    log.close()


def line_of(happening: Happening, place: Any) -> Line:
    """The log's line for a record that stands at `place`, the broker's answer."""
    if happening.bad:
        return {
            "bad": happening.bad,
            "reason": happening.reason,
            "digest": record_digest(*record_of(happening.key, happening.value)),
            "topic": place.topic,
            "partition": place.partition,
            "offset": place.offset,
        }
    value = happening.value
    if isinstance(value, bytes):
        raise TypeError("only a bad record is not made of JSON")
    if happening.topic == "presence":
        until = round(datetime.fromisoformat(value["until"]).timestamp() * 1000)
        fields = {"user": value["user"], "online": value["online"], "until": until}
        return fields | {"at": place.timestamp}
    if happening.repeat:
        return {"repeat": value["id"], "at": place.timestamp}
    return value | {"at": place.timestamp}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.produce.producer", description=__doc__)
    parser.add_argument("--kafka", required=True, help="a broker, as host:port")
    parser.add_argument("--log", type=Path, required=True, help="what was accepted, appended")
    parser.add_argument("--seed", type=int, required=True, help="which world")
    phases = parser.add_subparsers(dest="phase", required=True)
    phases.add_parser("world", help="write people, follows and preferences")
    pace = phases.add_parser("events", help="write events")
    pace.add_argument("--events", type=int, required=True)
    pace.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    if given.phase == "world":
        asyncio.run(write_world(given.kafka, given.seed))
    else:
        asyncio.run(write_events(given.kafka, given.log, given.seed, given.events, given.seconds))


if __name__ == "__main__":
    main()
