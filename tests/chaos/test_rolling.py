"""A new version under load: each worker is replaced after the other, as Kubernetes does it.

The next one is stopped once the last one's `/ready` says that it has its partitions.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from embedded.local_stack import LocalStack, Worker
from embedded.simulators.accept_log import read_accept_log
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer
from schemas.topics import CONTACTS, EVENTS, ROLES, Topic
from schemas.vocabulary import Channel
from tests.chaos.conftest import Tell, catalogue_in
from tests.chaos.deliveries import producing
from tests.chaos.standstill import ends, gaps
from tests.chaos.workers import second, stop
from tests.patience import ended, until, until_told

PARTITIONS = 4
EVERY = 0.2
"""Seconds between two events of a partition, each of which is told in three ways."""
CALM = 15.0
"""Seconds of load before the first restart and after the last one."""
LOOK = 1.0
"""Seconds between two looks at whether a worker is ready; the chart has 5."""
LONGEST_GAP, SLOWEST = 2.0, 3.0
"""Seconds that a partition may stand still, and 99 of 100 critical ones may take."""
GROUPS = {
    "front": ("intake", "router"),
    "decider": ("decider",),
    "sinks": ("push", "email", "sms", "chat", "webhook", "inapp", "retry"),
    "analytics": ("analytics",),
}
"""A process each, and another beside it: a worker of the chart with two replicas."""
ON_THE_WAY = ("router", "decider", "push", "email", "inapp")
"""The roles by which each event goes, so that what stands still shows."""
PROBE = """
event = "probe.asked"

[types.probe]
category = "security"
priority = "critical"
transactional = true
users = "user_id"
channels = ["push", "email", "inapp"]
time_to_live = "10m"

[types.probe.templates.push]
title = "{{ data.number }}"
body = "A probe"

[types.probe.templates.email]
title = "{{ data.number }}"
body = "A probe"

[types.probe.templates.inapp]
title = "{{ data.number }}"
body = "A probe"
"""


@dataclass
class Probing:
    """Critical events, one after the other to a user of each partition, and when each began."""

    producer: Producer
    users: dict[int, str]
    begun: dict[str, float] = field(default_factory=dict)

    async def people(self) -> None:
        """Where they are reached."""
        for partition, user in self.users.items():
            contacts = {"devices": [{"token": user}], "email": f"{user}@example.com"}
            await self._write(CONTACTS, partition, {"user": user, "locale": "en", **contacts})

    async def ask(self, number: int, partition: int) -> None:
        """One event; it begins when Kafka is asked to take it."""
        user, name = self.users[partition], f"{number}-{partition}"
        event = {"id": name, "type": "probe.asked", "actor": user}
        event["occurred_at"] = datetime.now(UTC).isoformat()
        self.begun[name] = time.time()
        data = {"user_id": user, "number": name}
        await self._write(EVENTS, partition, {**event, "data": data})

    async def _write(self, topic: Topic, partition: int, value: dict[str, Any]) -> None:
        entry = self.users[partition].encode(), json.dumps(value).encode()
        await self.producer.write(topic.name, partition, [entry])


@pytest.mark.chaos
async def test_every_role_is_restarted_and_nobody_waits(tmp_path: Path, tell: Tell) -> None:
    async with LocalStack(
        tmp_path / "house",
        roles=tuple(ROLES),
        together=GROUPS,
        partitions=PARTITIONS,
        catalogue=catalogue_in(tmp_path, {"probe.toml": PROBE}),
    ) as house:
        async with _seconds(house) as others, producing(house) as producer:
            probing = Probing(producer, _user_by_partition())
            await probing.people()
            async with _asking(probing):
                await until(lambda: bool(_taken(house)))
                await asyncio.sleep(CALM)
                begin = {role: await _ends(house, role) for role in ON_THE_WAY}
                since, restarted = time.time(), dict[str, float]()
                for name in GROUPS:
                    # The higher ordinal first, as a StatefulSet does it.
                    for worker in (others[name], house.workers[name]):
                        restarted[f"{name}-{len(restarted) % 2}"] = await _replaced(worker)
                await asyncio.sleep(CALM)
                longest = {
                    role: await gaps(house.kafka.address, role, begin[role]) for role in ON_THE_WAY
                }
            await until(lambda: len(_taken(house)) >= len(probing.begun), pause=0.5)
        taken = _taken(house)
    waits = {name: taken[name] - at for name, at in probing.begun.items()}
    before = sorted(wait for name, wait in waits.items() if probing.begun[name] < since)
    during = sorted(wait for name, wait in waits.items() if probing.begun[name] >= since)
    still = {role: max(found.values()) for role, found in longest.items()}
    p99 = during[int(len(during) * 0.99)]
    tell(
        f"{len(during):,} critical events while {len(restarted)} workers of {len(ROLES)} roles "
        f"were replaced: p50 {during[len(during) // 2]:.2f} s, p99 {p99:.2f} s, last "
        f"{during[-1]:.2f} s (before: p50 {before[len(before) // 2]:.2f} s, last {before[-1]:.2f} "
        f"s); a partition stood still for at most, by role, {still}; from SIGTERM to ready "
        f"{restarted}; load average {os.getloadavg()[0]:.1f}"
    )
    assert all(len(found) == PARTITIONS for found in longest.values())
    assert p99 < SLOWEST
    assert max(still.values()) < LONGEST_GAP


@asynccontextmanager
async def _seconds(house: LocalStack) -> AsyncIterator[dict[str, Worker]]:
    """Of each group another process, while the block runs."""
    timeout = house.settings.session_timeout
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(
                second(house, name, f"second-{name}", roles=roles, session_timeout=timeout)
            )
            for name, roles in GROUPS.items()
        }


@asynccontextmanager
async def _asking(probing: Probing) -> AsyncIterator[None]:
    """While the block runs, an event in each partition every EVERY seconds."""
    stopping = asyncio.Event()

    async def ask() -> None:
        for number in count():
            if stopping.is_set():
                return
            await asyncio.gather(*(probing.ask(number, each) for each in probing.users))
            await asyncio.sleep(EVERY)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        stopping.set()
        await ended(asking)


async def _replaced(worker: Worker) -> float:
    """Stop it in order and start it anew; the seconds until it says that it is ready."""
    begin = time.monotonic()
    await stop(worker)
    await worker.start()
    async with aiohttp.ClientSession() as session:
        await until_told(lambda: _status(session, worker), lambda status: status == 200, LOOK)
    return round(time.monotonic() - begin, 1)


async def _status(session: aiohttp.ClientSession, worker: Worker) -> int:
    try:
        async with session.get(f"http://127.0.0.1:{worker.metrics_port}/ready") as answer:
            return answer.status
    except aiohttp.ClientError:
        return 0


async def _ends(house: LocalStack, role: str) -> Any:
    return await ends(house.kafka.address, role, range(PARTITIONS))


def _taken(house: LocalStack) -> dict[str, float]:
    """By the name of each event, when FCM took its push."""
    lines = read_accept_log(house.accept_log) if house.accept_log.exists() else []
    return {each.title: each.at for each in lines if each.channel is Channel.PUSH}


def _user_by_partition() -> dict[int, str]:
    """A user of each partition."""
    names = (f"user-{number}" for number in range(1000))
    return {partition_of(name, PARTITIONS): name for name in names}
