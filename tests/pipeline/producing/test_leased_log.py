"""Roles that share a producer: each one writes for as long as its own lease lasts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from pipeline.producing.batch import Batch
from pipeline.producing.lease import Lease
from pipeline.producing.leased_log import LeasedLog
from pipeline.producing.producer import Producer
from schemas.errors import Unavailable

SESSION = 6.0
"""So a lease lasts for 5 s."""
ENTRY = (b"key", b"value")


class Silent(Exception):
    """Stands for what Kafka would answer."""


class Sent(Producer):
    """Notes the records of each batch once a request leaves; Kafka never answers it."""

    def __init__(self) -> None:
        super().__init__(bootstrap_servers="nowhere:1")
        self.batches: list[tuple[str, int]] = []
        self.may_leave = True

    async def _know(self, place: tuple[str, int]) -> None:
        self._known.add(place)

    def _wake(self) -> None:
        if self.may_leave:
            self._gather((), ())

    def enqueue(self, batch: Batch, place: tuple[str, int]) -> "asyncio.Future[object]":
        self.batches.append((place[0], batch.record_count()))
        sent = asyncio.get_running_loop().create_future()
        sent.set_exception(Silent())
        return sent

    def let_leave(self) -> None:
        """A request may leave, with all that waits."""
        self.may_leave = True
        self._wake()


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
    assert process.producer.batches == [("deliver", 1)]


async def test_what_waits_for_its_place_is_not_sent_once_its_lease_has_ended(
    process: Process,
) -> None:
    router, decider = process.logs
    process.producer.may_leave = False
    first = asyncio.create_task(decider.write("events", 0, [ENTRY]))
    waiting = asyncio.create_task(router.write("events", 0, [ENTRY]))
    await asyncio.sleep(0)
    process.leases[0].lose()
    process.producer.let_leave()
    with pytest.raises(Silent):
        await first
    with pytest.raises(Unavailable, match="no member of its group any more"):
        await waiting
    assert process.producer.batches == [("events", 1)]


async def test_what_waited_with_a_write_whose_lease_has_ended_is_sent(process: Process) -> None:
    router, decider = process.logs
    process.producer.may_leave = False
    first = asyncio.create_task(decider.write("events", 0, [ENTRY]))
    ended = asyncio.create_task(router.write("events", 0, [ENTRY]))
    held = asyncio.create_task(decider.write("events", 0, [ENTRY]))
    await asyncio.sleep(0)
    process.leases[0].lose()
    process.producer.let_leave()
    for writing in (first, held):
        with pytest.raises(Silent):
            await writing
    with pytest.raises(Unavailable, match="no member of its group any more"):
        await ended
    assert process.producer.batches == [("events", 2)]


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
