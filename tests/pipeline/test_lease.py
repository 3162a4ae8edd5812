"""A process that stood still must write nothing more."""

import asyncio

import pytest

from pipeline.errors import Unavailable
from pipeline.lease import Lease


async def test_the_lease_holds_while_the_process_runs_and_ends_when_it_stood_still() -> None:
    now = 100.0
    lease = Lease(6.0, monotonic=lambda: now)
    keeping = asyncio.create_task(lease.keep())
    await asyncio.sleep(0)
    now += 5.9
    lease.check()
    now += 0.2
    with pytest.raises(Unavailable, match=r"stood still for 6\.1 s"):
        lease.check()
    keeping.cancel()


async def test_a_lease_that_ended_is_never_renewed() -> None:
    now = 0.0
    lease = Lease(0.2, monotonic=lambda: now)
    keeping = asyncio.create_task(lease.keep())
    await asyncio.sleep(0)
    now = 2.0
    with pytest.raises(Unavailable):
        await keeping
    with pytest.raises(Unavailable):
        lease.check()


def test_starting_may_take_as_long_as_it_takes() -> None:
    now = 0.0
    lease = Lease(1.0, monotonic=lambda: now)
    now = 60.0
    lease.check()
