"""A plain Kafka producer that writes a script's events and logs each one the broker took."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from aiokafka import AIOKafkaProducer

from embedded.house import House
from tests.chaos.observe import wait_until_read
from tests.chaos.script import Script

RATE = 160
"""Events a second."""
STEP = 0.05
"""Seconds between two bursts of events, and between two writes to the log."""
PATIENCE_MS = 120_000
"""The producer outlasts every outage, so that each event is in the end known to be accepted."""


class Playable(Protocol):
    """What can flow: people first, and then at most so many records."""

    @property
    def name(self) -> str:
        """With which all ids begin."""
        ...

    @property
    def most(self) -> int:
        """How many records there are."""
        ...

    def people(self) -> Iterable[tuple[str, str, bytes]]:
        """Topic, key and value of what is to be known before the first event."""
        ...

    def event(self, number: int, at: str) -> tuple[str, str, bytes]:
        """The record with this number, of what happened at `at`."""
        ...


Played = TypeVar("Played", bound=Playable)


@dataclass
class Flow(Generic[Played]):
    """Events under way. `log` has a JSON line for each one that the broker acknowledged."""

    script: Played
    log: Path
    sent: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: list[tuple[int, float]] = field(default_factory=list)

    def accepted(self) -> dict[int, float]:
        """When each acknowledged event was accepted (epoch seconds), as the log has it."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return {line["number"]: line["at"] for line in lines}


@asynccontextmanager
async def flowing(house: House, name: str, seconds: float) -> AsyncIterator[Flow[Script]]:
    """Let events flow inside the block, for `seconds` at most; after it all are acknowledged."""
    async with playing(house, Script(name, int(seconds * RATE)), RATE) as flow:
        yield flow


@asynccontextmanager
async def playing(house: House, script: Played, rate: int) -> AsyncIterator[Flow[Played]]:
    """Let the records of a script flow inside the block, `rate` a second."""
    flow = Flow(script, house.folder / "flows" / f"{script.name}.jsonl")
    async with _producer(house) as producer:
        await _write(producer, flow.script.people())
        await wait_until_read(house)
        writing = asyncio.create_task(_produce(producer, flow, rate))
        try:
            yield flow
        finally:
            flow.stopping.set()
            await writing


async def write_again(house: House, flow: Flow[Script]) -> None:
    """Write every event of a flow once more: same ids, other offsets."""
    async with _producer(house) as producer:
        await _write(producer, (flow.script.event(n, _now()) for n in sorted(flow.accepted())))


@asynccontextmanager
async def _producer(house: House) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=house.kafka.address,
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=PATIENCE_MS,
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def _write(producer: AIOKafkaProducer, records: Iterable[tuple[str, str, bytes]]) -> None:
    sending = [await producer.send(topic, value, key.encode()) for topic, key, value in records]
    await asyncio.gather(*sending)


async def _produce(producer: AIOKafkaProducer, flow: Flow[Any], rate: int) -> None:
    waiting: set[asyncio.Future[Any]] = set()
    logging = asyncio.create_task(_keep_log(flow))
    # Broker away: sends wait, and the rate is not made up for afterwards.
    while flow.sent < flow.script.most and not flow.stopping.is_set():
        for _ in range(round(rate * STEP)):
            topic, key, value = flow.script.event(flow.sent, _now())
            future = await producer.send(topic, value, key.encode())
            waiting.add(future)
            future.add_done_callback(_note(flow, flow.sent, waiting))
            flow.sent += 1
        await asyncio.sleep(STEP)
    flow.stopping.set()
    await asyncio.gather(*waiting)
    await logging


def _note(flow: Flow[Any], number: int, waiting: set[asyncio.Future[Any]]) -> Any:
    def done(future: "asyncio.Future[Any]") -> None:
        if future.exception() is None:
            flow.acknowledged.append((number, time.time()))
            waiting.discard(future)

    return done


async def _keep_log(flow: Flow[Any]) -> None:
    flow.log.parent.mkdir(parents=True, exist_ok=True)
    with flow.log.open("a") as log:
        written = 0
        while not flow.stopping.is_set() or written < flow.sent:
            new = flow.acknowledged[written:]
            await asyncio.to_thread(_append, log, new)
            written += len(new)
            await asyncio.sleep(STEP)


def _append(log: Any, events: list[tuple[int, float]]) -> None:
    log.writelines(json.dumps({"number": n, "at": at}) + "\n" for n, at in events)
    log.flush()
    os.fsync(log.fileno())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
