"""All of Tocsin under a load, with a stub for the providers: what both whole-way benches run."""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.module import line_of, running
from bench.pairs import Progress
from bench.processor import cpu_seconds
from bench.scrape import Work, scrape
from bench.whole.kafka_folder import Kept, kept_in
from bench.whole.provider_stub import READY
from bench.whole.receipts import ReadOn, read_receipts, reading_sent
from demo.dataset.world import SEED
from demo.produce.producer import write_world
from demo.run import DEMO_ROLES, TOGETHER
from embedded.kafka import Kafka
from embedded.local_stack import ROOT, LocalStack, Simulators
from embedded.process import Child, tail
from pipeline.admin.lag import Lag
from schemas.errors import Unavailable

PATIENCE = 60.0
"""Seconds in which nothing moves before what is not done is given up."""
SETTLE = 300.0
"""Seconds for which a backlog is worked off at most."""
KAFKA, CLICKHOUSE, STUB = "kafka", "clickhouse", "provider stub"
NOT_OURS = (KAFKA, CLICKHOUSE, STUB)
LOOPS = 2_000_000
LOOP_TRIES = 5


class ProviderStub(Simulators):
    """In the place of the simulators, with a log of its own form."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._child = Child("The provider stub")

    async def start(self) -> None:
        """Start and return once it listens."""
        argv = [sys.executable, "-m", "bench.whole.provider_stub"]
        argv += map(str, (self.port, self.accept_log, self._folder))
        log = self._folder / "stub.log"

        async def ready() -> bool:
            return READY in tail(log)

        await self._child.start(argv, {"PYTHONPATH": str(ROOT)}, log, ready)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid


class Reading(NamedTuple):
    """Everything that is counted, at one moment."""

    at: float
    cpu: dict[str, float]
    work: Work
    kept: Kept


class Loaded(NamedTuple):
    """What a load came to. `since` and `until` are the measured window, `begin` is when its warm-up
    began, epoch ms; `start`, `before` and `after` are of its begin, of `since` and of its end.

    `late` is by how many seconds its last record was written late, `behind` after how many more
    nothing was left to do; None where something was left.
    """

    begin: int
    since: int
    until: int
    start: Reading
    before: Reading
    after: Reading
    late: float
    behind: float | None


class Whole:
    """A running Tocsin whose users are known to it."""

    def __init__(
        self, house: LocalStack, stub: ProviderStub, users: int, lag: Lag, read_sent: ReadOn
    ) -> None:
        self.house = house
        self.stub = stub
        self._users = users
        self._lag = lag
        self._loads = 0
        self.read_sent = read_sent

    @property
    def pids(self) -> dict[str, int]:
        """Every process by name, the workers first."""
        kafka = self.house.kafka
        assert isinstance(kafka, Kafka)  # noqa: S101 - one broker, as it was asked for
        workers = {name: worker.pid for name, worker in self.house.workers.items()}
        others = (kafka.pid, self.house.clickhouse.pid, self.stub.pid)
        return workers | dict(zip(NOT_OURS, others, strict=True))

    @property
    def restarts(self) -> int:
        """How often a worker ended by itself and was started again."""
        return sum(worker.restarts for worker in self.house.workers.values())

    def received(self) -> dict[str, float]:
        """By delivery, when the stub first had it (epoch ms)."""
        return read_receipts(self.stub.accept_log.read_bytes())

    async def read(self) -> Reading:
        """Everything that is counted, now; raises Unavailable."""
        ports = {name: worker.metrics_port for name, worker in self.house.workers.items()}
        work = await scrape(ports)
        kept = kept_in(self.house.folder / "kafka")
        return Reading(time.time(), cpu_seconds(self.pids), work, kept)

    async def idle(self, seconds: float) -> Loaded:
        """No load for so long."""
        before = await self.read()
        await asyncio.sleep(seconds)
        after = await self.read()
        since, until = round(before.at * 1000), round(after.at * 1000)
        return Loaded(since, since, until, before, before, after, 0.0, 0.0)

    async def load(self, rate: int, warm_up: float, seconds: float) -> Loaded:
        """So many events a second: a warm-up, then the measured window, then what is left."""
        self._loads += 1
        whole = warm_up + seconds
        arguments = (self._users, f"load-{self._loads}", round(rate * whole), whole)
        async with running(
            "bench.whole.event_load", self.house.kafka.address, *arguments
        ) as writing:
            begin = int(await line_of(writing))
            since, until = (round(begin + each * 1000) for each in (warm_up, whole))
            start = await self.read()
            await asyncio.sleep(since / 1000 - time.time())
            before = await self.read()
            late = float(await line_of(writing))
        end = time.time()
        settled = await self.settle()
        after = await self.read()
        behind = after.at - end if settled else None
        return Loaded(begin, since, until, start, before, after, late, behind)

    async def settle(self) -> bool:
        """Wait until nothing is left to do; False if it does not come to that in time."""

        async def ignore(_: dict[str, int]) -> None:
            pass

        try:
            async with asyncio.timeout(SETTLE):
                return await self._lag.settle(PATIENCE, ignore)
        except TimeoutError:
            return False


@asynccontextmanager
async def whole(
    users: int, progress: Progress, partitions: int | None = None
) -> AsyncIterator[Whole]:
    """The demo's processes and so many of its people; gone at the end with all that they held.

    Topics have as many `partitions`, or as many as the demo's.
    """
    with TemporaryDirectory(prefix="tocsin-bench-", ignore_cleanup_errors=True) as name:
        house = LocalStack(Path(name), roles=DEMO_ROLES, together=TOGETHER, partitions=partitions)
        stub = house.simulators = ProviderStub(Path(name) / "stub")
        await house.start(progress)
        try:
            settings = house.settings
            async with (
                Lag(settings.kafka, settings.partitions) as lag,
                reading_sent(settings.kafka, settings.partitions) as read_sent,
            ):
                ready = Whole(house, stub, users, lag, read_sent)
                progress(f"{users:,} people are written")
                await write_world(settings.kafka, SEED, users)
                if not await ready.settle():
                    raise Unavailable(
                        f"What is stored about {users:,} people was not read within {SETTLE:g} s, "
                        "so nothing was measured; try again on a machine with less else to do."
                    )
                yield ready
        finally:
            await house.stop()


def loop_ms() -> float:
    """Milliseconds of a fixed loop in Python, the median of a few: how fast the machine is now."""
    took = []
    for _ in range(LOOP_TRIES):
        begin = time.perf_counter()
        total = 0
        for number in range(LOOPS):
            total += number
        took.append((time.perf_counter() - begin) * 1000)
    return round(statistics.median(took), 1)
