"""Workers that a test starts and stops by itself."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from embedded.local_stack import LocalStack, Worker
from tests.patience import PATIENCE

GRACE = PATIENCE
"""Seconds after which a worker that was told to stop is killed, and the test fails: far more than
it needs, as tests are about what it does and not about how fast the machine is."""


@asynccontextmanager
async def second(
    house: LocalStack,
    role: str,
    folder: str = "second",
    *,
    roles: tuple[str, ...] = (),
    **settings: object,
) -> AsyncIterator[Worker]:
    """Another worker of the role, with a state folder of its own, and settings if any differ.

    With `roles` it runs these, and is called `role`.
    It has as much patience with itself as the test has: it must end in order.
    """
    place = house.folder / folder
    settings = {"session_timeout": PATIENCE / 4, **settings}
    special = {f"TOCSIN_{name.upper()}": str(value) for name, value in settings.items()}
    environment = house.environment | {"TOCSIN_DATA_DIR": str(place / "state")} | special
    worker = Worker(role, place / "logs", environment, *roles)
    await worker.start()
    try:
        yield worker
    finally:
        await stop(worker)


async def stop(worker: Worker) -> float:
    """Stop a worker in order; returns the seconds that this took."""
    begin = time.monotonic()
    await worker.stop(GRACE)
    code = worker._child.returncode
    assert code == 0, f"it ended with {code}:\n{worker.log.read_text()[-2000:]}"
    return round(time.monotonic() - begin, 1)
