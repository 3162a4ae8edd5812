"""A plain Kafka producer that writes a script's events and logs each one the broker took."""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from aiokafka import AIOKafkaProducer

from demo.produce.producer_log import BadClaim, Claims
from embedded.local_stack import LocalStack
from tests.chaos.evidence import Mark, mark
from tests.chaos.observe import wait_until_read
from tests.chaos.script import Script

RATE = 160
"""Events a second: two cores are busy with them alone."""
BRIEF_RATE = 25
"""The same in the default run, which has other tests beside: calls are in flight at any moment."""
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


class Line(NamedTuple):
    """The record with this number, of what happened when, and when Kafka took it (epoch ms)."""

    number: int
    happened: str
    at: int


@dataclass
class Flow(Generic[Played]):
    """Events under way. `log` has a JSON line for each one that the broker acknowledged.

    `bad` are records beside it that nobody can use. `since` is how far everything had got before,
    `healed_at` when the last trouble was over (epoch seconds), and `times` how often each event
    was written.
    """

    script: Played
    log: Path
    since: Mark = field(default_factory=Mark)
    healed_at: float = 0.0
    sent: int = 0
    times: int = 1
    bad: list[BadClaim] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: list[Line] = field(default_factory=list)

    def accepted(self) -> list[Line]:
        """Every record that the broker took, as the log has it."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return [Line(**line) for line in lines]

    def healed(self) -> None:
        """From now on nothing is in the way any more."""
        self.healed_at = time.time()


@asynccontextmanager
async def flowing(
    house: LocalStack, name: str, seconds: float, rate: int = RATE
) -> AsyncIterator[Flow[Script]]:
    """Let events flow inside the block, for `seconds` at most; after it all are acknowledged."""
    script = Script(name, int(seconds * rate), datetime.now(UTC))
    async with playing(house, script, rate) as flow:
        yield flow


def claims_of(flow: Flow[Script]) -> Claims:
    """What the producer knows to be in Kafka."""
    events = [flow.script.claim(*line) for line in flow.accepted()]
    repeats = Counter({event.id: flow.times - 1 for event in events if flow.times > 1})
    return Claims({event.id: event for event in events}, bad=flow.bad, repeats=repeats)


@asynccontextmanager
async def playing(house: LocalStack, script: Played, rate: int) -> AsyncIterator[Flow[Played]]:
    """Let the records of a script flow inside the block, `rate` a second."""
    flow = Flow(script, house.folder / "flows" / f"{script.name}.jsonl")
    async with _producer(house) as producer:
        await _write(producer, flow.script.people())
        await wait_until_read(house)
        flow.since = await mark(house)
        writing = asyncio.create_task(_produce(producer, flow, rate))
        try:
            yield flow
        finally:
            flow.stopping.set()
            await writing


async def write_again(house: LocalStack, flow: Flow[Script]) -> None:
    """Write every event of a flow once more: same ids, other offsets."""
    async with _producer(house) as producer:
        numbers = sorted(line.number for line in flow.accepted())
        await _write(producer, (flow.script.event(number, _now()) for number in numbers))
    flow.times += 1


@asynccontextmanager
async def _producer(house: LocalStack) -> AsyncIterator[AIOKafkaProducer]:
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
    step = max(STEP, 1 / rate)
    # Broker away: sends wait, and the rate is not made up for afterwards.
    while flow.sent < flow.script.most and not flow.stopping.is_set():
        for _ in range(round(rate * step)):
            happened = _now()
            topic, key, value = flow.script.event(flow.sent, happened)
            future = await producer.send(topic, value, key.encode())
            waiting.add(future)
            future.add_done_callback(_note(flow, flow.sent, happened, waiting))
            flow.sent += 1
        await asyncio.sleep(step)
    flow.stopping.set()
    await asyncio.gather(*waiting)
    await logging


def _note(flow: Flow[Any], number: int, happened: str, waiting: set[asyncio.Future[Any]]) -> Any:
    def done(future: "asyncio.Future[Any]") -> None:
        if future.exception() is None:
            flow.acknowledged.append(Line(number, happened, future.result().timestamp))
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


def _append(log: Any, lines: list[Line]) -> None:
    log.writelines(json.dumps(line._asdict()) + "\n" for line in lines)
    log.flush()
    os.fsync(log.fileno())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
