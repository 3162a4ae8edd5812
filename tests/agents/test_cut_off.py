"""A worker that its coordinator can't hear any more stops in time: nothing goes out twice."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from embedded.kafka import Kafka
from embedded.local_stack import Worker
from embedded.process import LOOPBACK, free_port
from pipeline.producing.outputs import partition_of
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.topics import DELIVER
from schemas.vocabulary import Channel, Priority
from tests.agents.line import PARTITIONS, Line
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock
from tests.kafka_proxy import GROUP, of, proxy_to
from tests.patience import PATIENCE, until

TOPIC = DELIVER[Channel.WEBHOOK, Priority.NORMAL]
BRIEF = 4
"""Seconds of a session, of the one that is cut off; the other must live, however busy all is."""


@dataclass
class Receiver:
    """Counts the calls that it gets of each delivery."""

    url: str = ""
    calls: Counter[str] = field(default_factory=Counter)

    async def take(self, request: web.Request) -> web.Response:
        """One webhook."""
        self.calls[request.headers["webhook-id"]] += 1
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found, port = Receiver(), free_port()
    app = web.Application()
    app.router.add_post("/hook", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    found.url = f"http://{LOOPBACK}:{port}/hook"
    yield found
    await runner.cleanup()


@asynccontextmanager
async def sink(kafka: str, folder: Path, session: float) -> AsyncIterator[Worker]:
    """A webhook worker in a process of its own, which nobody starts again.

    It is given up, and ends, after a silence of `session` seconds.
    """
    environment = {
        "TOCSIN_KAFKA": kafka,
        "TOCSIN_PARTITIONS": str(PARTITIONS),
        "TOCSIN_DATA_DIR": str(folder / "state"),
        "TOCSIN_WEBHOOK_KEYS": "w" * 40,
        "TOCSIN_PRIVATE_ENDPOINTS": json.dumps([LOOPBACK]),
        "TOCSIN_SESSION_TIMEOUT": str(session),
    }
    worker = Worker("webhook", folder, environment)
    await worker._start()
    try:
        yield worker
    finally:
        await worker.kill()


async def test_who_is_cut_off_from_its_coordinator_alone_calls_nobody_after_its_lease(
    line: Line, kafka: Kafka, receiver: Receiver, tmp_path: Path
) -> None:
    sent: list[Delivery] = []

    async def burst() -> None:
        """One delivery for each partition."""
        for number in range(PARTITIONS):
            user = next(u for n in range(1000) if partition_of(u := f"u{n}", PARTITIONS) == number)
            said = delivery(
                ShiftedClock(), channel=Channel.WEBHOOK, address=receiver.url, user=user
            )
            sent.append(said)
            await line.producer.send_and_wait(TOPIC.name, encode(said), user.encode(), number)

    def arrived() -> bool:
        return all(receiver.calls[said.delivery_id] for said in sent)

    async with (
        proxy_to(kafka.port) as proxy,
        sink(proxy.address, tmp_path / "one", BRIEF) as one,
        sink(kafka.address, tmp_path / "two", PATIENCE / 4) as two,
    ):
        await burst()
        await until(arrived)
        proxy.hold(of(*GROUP))
        async with asyncio.timeout(PATIENCE):
            while not arrived() or one._child.running:
                await burst()
                await asyncio.sleep(0.2)
        await burst()
        await until(arrived)
        assert two._child.running
    # At most the calls that were in flight when the lease ended, and not those of all the time in
    # which the other one has the partitions already.
    assert sum(receiver.calls.values()) - len(receiver.calls) <= PARTITIONS
    assert len(receiver.calls) > 3 * PARTITIONS
    (said,) = [text for text in one.log.read_text().splitlines() if "tocsin: Unavailable" in text]
    assert "answered nothing that was sent in the last" in said
    assert "no provider called; it starts again" in said
