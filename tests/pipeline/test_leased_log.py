"""Roles that share a producer: each one writes for as long as its own lease lasts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from pipeline.errors import Unavailable
from pipeline.lease import Lease
from pipeline.leased_log import LeasedLog
from pipeline.producer import Producer
from tests.patience import until

SESSION = 6.0
"""So a lease lasts for 5 s."""
ENTRY = (b"key", b"value")


class Silent(Exception):
    """Stands for what Kafka would answer."""


class Sent(Producer):
    """Notes to which topics batches are sent, once they may leave; Kafka never answers them."""

    def __init__(self) -> None:
        super().__init__(bootstrap_servers="nowhere:1")
        self.topics: list[str] = []
        self.may_leave = asyncio.Event()

    async def send_batch(self, batch: object, topic: str, *, partition: int) -> object:
        self.topics.append(topic)
        await self.may_leave.wait()
        raise Silent


@dataclass
class Process:
    """Two roles with leases that were renewed at 100 s, on a clock that a test sets."""

    producer: Sent
    now: float = 100.0
    leases: list[Lease] = field(default_factory=list)
    logs: list[LeasedLog] = field(default_factory=list)

    def __post_init__(self) -> None:
        for _ in range(2):
            lease = Lease(SESSION, clock=lambda: self.now)
            lease.begin()
            lease.renew(self.now)
            self.leases.append(lease)
            self.logs.append(LeasedLog(self.producer, lease))


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    """One whose writes leave at once."""
    producer = Sent()
    producer.may_leave.set()
    yield Process(producer)
    await producer.stop()


async def test_a_role_writes_as_long_as_its_own_lease_lasts(process: Process) -> None:
    router, decider = process.logs
    process.now = 104.0
    process.leases[1].renew(process.now)
    process.now = 105.5
    with pytest.raises(Unavailable, match=r"answered nothing that was sent in the last 5\.5 s"):
        await router.write("requests", 0, [ENTRY])
    with pytest.raises(Silent):
        await decider.write("deliver", 0, [ENTRY])
    assert process.producer.topics == ["deliver"]


async def test_what_waits_for_its_place_is_not_sent_once_its_lease_has_ended(
    process: Process,
) -> None:
    router, decider = process.logs
    process.producer.may_leave.clear()
    first = asyncio.create_task(decider.write("events", 0, [ENTRY]))
    await until(lambda: process.producer.topics == ["events"])
    waiting = asyncio.create_task(router.write("events", 0, [ENTRY]))
    await asyncio.sleep(0)
    process.leases[0].lose()
    process.producer.may_leave.set()
    with pytest.raises(Silent):
        await first
    with pytest.raises(Unavailable, match="no member of its group any more"):
        await waiting
    assert process.producer.topics == ["events"]


async def test_what_waited_with_a_write_whose_lease_has_ended_is_sent(process: Process) -> None:
    router, decider = process.logs
    process.producer.may_leave.clear()
    first = asyncio.create_task(decider.write("events", 0, [ENTRY]))
    await until(lambda: process.producer.topics == ["events"])
    ended = asyncio.create_task(router.write("events", 0, [ENTRY]))
    held = asyncio.create_task(decider.write("events", 0, [ENTRY]))
    await asyncio.sleep(0)
    process.leases[0].lose()
    process.producer.may_leave.set()
    for writing in (first, held):
        with pytest.raises(Silent):
            await writing
    with pytest.raises(Unavailable, match="no member of its group any more"):
        await ended
    assert process.producer.topics == ["events", "events"]


async def test_a_changelog_is_opened_once_the_role_that_opens_it_has_its_lease(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    async def open_(self: Producer, topic: str, partition: int, check: object) -> int:
        opened.append(topic)
        return 7

    monkeypatch.setattr(Producer, "open", open_)
    router, decider = process.logs
    process.now = 120.0
    process.leases[0].begin()  # a rebalance took that long, and no heartbeat came back since
    process.leases[1].renew(process.now)
    opening = asyncio.create_task(router.open("router-changelog", 0))
    assert await decider.open("decider-changelog", 0) == 7
    await asyncio.sleep(0)
    assert opened == ["decider-changelog"]
    process.leases[0].renew(process.now)
    assert await opening == 7
    assert opened == ["decider-changelog", "router-changelog"]
