"""Contacts of others are imported while codes are asked for: codes overtake what waits.

By `make chaos` a million wait, and each code is timed: of a hundred, ninety-nine leave within a
second.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition

from demo.verify.findings import percentile
from demo.verify.gathering import key_parts
from embedded.local_stack import LocalStack
from embedded.simulators.accept_log import read_accept_log
from pipeline.admin.lag import Lag
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer
from pipeline.producing.write_queue import Entry
from schemas.topics import CONTACTS, EVENTS, REQUESTS, Topic
from schemas.vocabulary import Priority
from tables.users import LEDGERS, PROFILES
from tests.chaos.conftest import SESSION_TIMEOUT, Tell, catalogue_in
from tests.chaos.deliveries import producing
from tests.chaos.observe import ends_of, read_from, wait_until_read
from tests.chaos.workers import stop
from tests.patience import until, until_told

CODE = """
event = "code.asked"
[types.code]
category = "codes"
priority = "critical"
transactional = true
channels = ["push"]
users = "who"
time_to_live = "1h"
templates.push = { title = "Code", body = "{{ data.text }}" }
"""
CHUNK = 5000
PACE = 0.05
"""Seconds between two codes, where they are timed."""
CHANGELOG, CRITICAL = "decider-changelog", REQUESTS[Priority.CRITICAL].name


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A house of its own, as a million users stay in it."""
    folder = tmp_path_factory.mktemp("import")
    async with LocalStack(
        folder,
        roles=("router", "decider", "push"),
        session_timeout=SESSION_TIMEOUT,
        partitions=2,
        catalogue=catalogue_in(folder, {"code.toml": CODE}),
    ) as house:
        yield house


async def test_codes_are_decided_before_contacts_that_wait(town: LocalStack, tell: Tell) -> None:
    """By the order of what the decider wrote, which no load of the machine changes much."""
    backlog, codes = 10_000, 20
    async with producing(town) as producer:
        await _know(town, producer, "early", codes)
        await stop(town.workers["decider"])
        before, asked = await ends_of(town, [CHANGELOG]), await _end(town, CRITICAL)
        await _import(town, producer, "short", backlog)
        for number in range(codes):
            await _ask(town, producer, "early", number)
    await until_told(lambda: _end(town, CRITICAL), lambda end: end == asked + codes)
    await town.workers["decider"].start()
    await wait_until_read(town)
    behind = await _others_behind_codes(town, before)
    tell(
        f"behind each of {len(behind)} codes came {min(behind):.0%} to {max(behind):.0%} of others"
    )
    assert len(behind) == codes
    assert min(behind) > 1 / 4
    assert len(_arrived(town, "early")) == codes


@pytest.mark.chaos
async def test_codes_leave_within_a_second_while_a_million_contacts_wait(
    town: LocalStack, tell: Tell
) -> None:
    backlog, codes = 1_000_000, 400
    async with producing(town) as producer:
        await _know(town, producer, "calm", codes)
        await _know(town, producer, "late", codes)
        calm = await _waits(town, producer, "calm", codes)
        await stop(town.workers["decider"])
        await _import(town, producer, "long", backlog)
        await town.workers["decider"].start()
        waits = await _waits(town, producer, "late", codes)
    async with Lag(town.kafka.address, town.settings.partitions) as lag:
        left = (await lag.look())[0]["decider"]
    tell(f"{left:,} of {backlog:,} contacts still waited; codes {_shown(waits)}")
    tell(f"without an import, just before it: {_shown(calm)}")
    assert left > 0
    assert percentile(waits, 99) < 1


def _shown(waits: list[float]) -> str:
    p50, p99, most = (percentile(waits, share) for share in (50, 99, 100))
    return f"took {p50:.2f} s (p50), {p99:.2f} s (p99), {most:.2f} s (the last of {len(waits)})"


async def _waits(town: LocalStack, producer: Producer, name: str, count: int) -> list[float]:
    """Seconds from when each code was asked for until a provider had it."""
    asked = list[float]()
    for number in range(count):
        asked.append(time.time())
        await _ask(town, producer, name, number)
        await asyncio.sleep(PACE)
    await until(lambda: len(_arrived(town, name)) == count, pause=0.1)
    arrived = _arrived(town, name)
    return [arrived[f"{name}-{number}"] - at for number, at in enumerate(asked)]


async def _know(town: LocalStack, producer: Producer, name: str, count: int) -> None:
    """So many users have a device, and that is read."""
    await _import(town, producer, name, count)
    await wait_until_read(town)


async def _import(town: LocalStack, producer: Producer, name: str, count: int) -> None:
    for start in range(0, count, CHUNK):
        users = [f"{name}-{number}" for number in range(start, min(start + CHUNK, count))]
        values = [{"user": user, "devices": [{"token": user}]} for user in users]
        await _write(town, producer, CONTACTS, dict(zip(users, values, strict=True)))


async def _ask(town: LocalStack, producer: Producer, name: str, number: int) -> None:
    user, now = f"{name}-{number}", datetime.now(UTC).isoformat()
    data = {"who": user, "text": "123"}
    event = {"id": user, "type": "code.asked", "actor": user, "occurred_at": now, "data": data}
    await _write(town, producer, EVENTS, {user: event})


async def _write(
    town: LocalStack, producer: Producer, topic: Topic, values: Mapping[str, object]
) -> None:
    entries: dict[int, list[Entry]] = {}
    partitions = town.settings.partitions
    for key, value in values.items():
        place = partition_of(key, partitions)
        entries.setdefault(place, []).append((key.encode(), json.dumps(value).encode()))
    for place, batch in entries.items():
        await producer.write(topic.name, place, batch)


async def _end(town: LocalStack, topic: str) -> int:
    return sum((await ends_of(town, [topic])).values())


def _arrived(town: LocalStack, name: str) -> dict[str, float]:
    """When (epoch seconds) each user's code was accepted by a provider."""
    lines = read_accept_log(town.accept_log)
    return {line.address: line.at for line in lines if line.address.startswith(f"{name}-")}


async def _others_behind_codes(
    town: LocalStack, begin: Mapping[TopicPartition, int]
) -> list[float]:
    """For each code, the share of its partition's imported contacts that were stored after it."""
    others: Counter[int] = Counter()
    before: list[tuple[int, int]] = []
    async for record in read_from(town, begin):
        key = record.key or b""
        if not key.startswith((PROFILES.prefix, LEDGERS.prefix)):
            continue
        user = key_parts(key[1:])[1]
        if key.startswith(PROFILES.prefix) and user.startswith("short-"):
            others[record.partition] += 1
        elif key.startswith(LEDGERS.prefix) and user.startswith("early-"):
            before.append((record.partition, others[record.partition]))
    return [1 - count / others[partition] for partition, count in before]
