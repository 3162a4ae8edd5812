"""A worker that is told to stop ends, whatever its group and its client of Kafka are about."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.kafka import Kafka
from embedded.process import Child
from tests.kafka_proxy import GROUP, of, proxy_to
from tests.patience import PATIENCE, until
from tests.pipeline import stoppable
from tests.pipeline.recorder import PARTITIONS, Recorder

ROOT = Path(__file__).parents[2]


class Workers:
    """Processes of a recorder's role, each with a folder and a log of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[Child] = []

    async def start(self, recorder: Recorder, pause: float, *how: str, kafka: str = "") -> Child:
        """One that has joined its group; a slice takes it `pause` seconds."""
        child = Child("the worker")
        self._children.append(child)
        argv = [sys.executable, "-m", stoppable.__name__]
        argv += [kafka or recorder.settings.kafka, recorder.name]
        argv += [str(self._folder), str(pause), *how]
        await child.start(argv, {"PYTHONPATH": str(ROOT)}, self.log, self._is_ready)
        return child

    @property
    def log(self) -> Path:
        """What it said."""
        return self._folder / "log"

    async def _is_ready(self) -> bool:
        return "ready" in self.log.read_text()

    async def end(self) -> None:
        """Kill what still runs."""
        for child in self._children:
            await child.kill()


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[Workers]:
    """None yet."""
    workers = Workers(tmp_path)
    yield workers
    await workers.end()


async def test_who_is_told_to_stop_amid_a_rebalance_hands_over_and_ends(
    kafka: Kafka, workers: Workers
) -> None:
    """Its slice in hand holds up the rebalance, and its session would outlast it by far."""
    recorder = Recorder(kafka.address)
    await recorder.fill(100)
    first = await workers.start(recorder, pause=1.0)
    async with recorder.worker() as app:
        await until(lambda: "rebalancing" in workers.log.read_text())
        await first.stop(PATIENCE)
        assert first.returncode == 0
        await until(lambda: app.partitions.numbers == list(range(PARTITIONS)))
    assert "could not leave" not in workers.log.read_text()


async def test_a_group_that_never_answers_holds_up_no_stop(kafka: Kafka, workers: Workers) -> None:
    """Kafka's client would send the commit again for ever."""
    recorder = Recorder(kafka.address)
    await recorder.fill(100)
    async with proxy_to(kafka.port) as proxy:
        worker = await workers.start(recorder, 1.0, "hasty", kafka=proxy.address)
        proxy.hold(of(*GROUP))
        await until(lambda: bool(proxy.held))
        await worker.stop(PATIENCE)
        proxy.let_go()
    assert worker.returncode == 0
    assert "All that it finished is kept" in workers.log.read_text()
