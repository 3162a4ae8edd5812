"""Workers that a test starts and stops by itself."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from embedded.house import House, Worker

GRACE = 30.0
"""Seconds in which a worker that was told to stop has to be gone."""


@asynccontextmanager
async def second(house: House, role: str) -> AsyncIterator[Worker]:
    """Another worker of the role, with a state folder of its own."""
    folder = house.folder / "second"
    environment = house.environment | {"TOCSIN_DATA_DIR": str(folder / "state")}
    worker = Worker(role, folder / "logs", environment)
    await worker.start()
    try:
        yield worker
    finally:
        await stop(worker)


async def stop(worker: Worker) -> float:
    """Stop a worker in order; returns the seconds that this took."""
    begin = time.monotonic()
    await worker.stop(GRACE)
    assert worker._child.returncode == 0, worker.log.read_text()[-2000:]
    return round(time.monotonic() - begin, 1)
