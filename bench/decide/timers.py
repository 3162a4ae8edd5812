"""Notifications that were put off to one moment, all due at once, in one worker process."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from bench.decide.broker import Arena, arena
from bench.decide.filling import Entry, create_topics, write_users
from bench.decide.race import race
from bench.decide.topics import TOCSIN
from bench.decide.workload import PARTITIONS, TYPE, USERS, user_name
from bench.pairs import ITSELF, Progress
from pipeline.producing.outputs import partition_of
from schemas.event import Event
from schemas.request import Origin, Request

DECIDED_A_SECOND = 8000
"""Put off at least; the timers must not be due before all are."""
AHEAD = 15.0
"""Seconds besides, as the events have to be written first."""
READY = "decider ready"
"""What the worker says once it has restored its state and reads."""


class TimersFired(Struct, frozen=True):
    """What the benchmark found; `latest` is how long after the moment the last one was out (s)."""

    timers_per_second: int
    cpu_us_per_timer: float
    latest: float
    timers: int


async def run(timers: int, progress: Progress) -> TimersFired:
    """Have so many put off, then measure from the first that is sent to the last."""
    async with arena(PARTITIONS) as ready:
        progress(f"Writing {USERS:,} profiles and {timers:,} events to be told of later")
        await create_topics(ready)
        await write_users(ready)
        wait = AHEAD + timers / DECIDED_A_SECOND
        due = datetime.max.replace(tzinfo=UTC)

        async def feed() -> None:
            # Only now: however long the worker takes to start, it must defer all of them.
            nonlocal due
            due = datetime.now(UTC) + timedelta(seconds=wait)
            progress(f"All of them are due in {wait:.0f} s")
            await _write(ready, timers, due)

        speed, _ = await race(
            ready,
            "tocsin",
            TOCSIN.delivery_events,
            2 * timers,
            (READY, feed),
            waiting=timers,
            patience=wait + 90,
        )
    return TimersFired(
        timers_per_second=round(speed.per_second),
        cpu_us_per_timer=round(speed.cpu_us[ITSELF], 1),
        latest=round((datetime.now(UTC) - due).total_seconds(), 1),
        timers=timers,
    )


async def _write(ready: Arena, timers: int, due: datetime) -> None:
    encode = msgspec.json.Encoder().encode
    entries: dict[int, list[Entry]] = defaultdict(list)
    for number in range(timers):
        request = _request(number, due)
        place = partition_of(request.user, PARTITIONS)
        entries[place].append((request.user.encode(), encode(request)))
    await asyncio.gather(
        *(ready.write(TOCSIN.requests, place, records) for place, records in entries.items())
    )


def _request(number: int, due: datetime) -> Request:
    user = user_name(number % USERS)
    event = Event(
        id=f"shipment-{number:08}",
        type=TYPE.event,
        actor="warehouse",
        occurred_at=datetime.now(UTC),
        data={
            "customer_id": user,
            "order_id": f"A-{number:08}",
            "carrier": "DHL",
            "tracking_number": f"{number:020}",
        },
        deliver_at=due,
    )
    return Request(
        type=TYPE.name,
        user=user,
        event=event,
        origin=Origin("events", number % PARTITIONS, number // PARTITIONS),
        accepted_at=int(event.occurred_at.timestamp() * 1000),
    )
