"""Group commit: one call for many, and each its own result."""

import asyncio
from collections.abc import Sequence

import pytest

from pipeline.batcher import Batcher
from tests.virtual_time import in_virtual_time, now


async def test_each_gets_its_own_result_and_a_full_batch_does_not_linger() -> None:
    flushed: list[list[int]] = []

    async def double(items: Sequence[int]) -> list[int]:
        flushed.append(list(items))
        return [2 * item for item in items]

    batcher = Batcher(double, most=3, linger=60)
    assert await asyncio.gather(*(batcher.submit(n) for n in range(6))) == [0, 2, 4, 6, 8, 10]
    assert flushed == [[0, 1, 2], [3, 4, 5]]


@in_virtual_time
async def test_the_first_waits_no_longer_than_the_linger() -> None:
    async def same(items: Sequence[int]) -> Sequence[int]:
        return items

    batcher = Batcher(same, most=1000, linger=0.01)
    assert await batcher.submit(1) == 1
    assert now() == pytest.approx(0.01)


async def test_an_error_reaches_everyone_in_the_call_and_nobody_else() -> None:
    async def refuse_ones(items: Sequence[int]) -> Sequence[int]:
        if 1 in items:
            raise ValueError("one")
        return items

    batcher = Batcher(refuse_ones, most=2, linger=0.01)
    results = await asyncio.gather(*map(batcher.submit, (1, 2, 3, 4)), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError, int, int]


@in_virtual_time
async def test_one_that_gave_up_waiting_does_not_disturb_the_rest() -> None:
    started = asyncio.Event()

    async def slow(items: Sequence[int]) -> Sequence[int]:
        started.set()
        await asyncio.sleep(0.01)
        return items

    batcher = Batcher(slow, most=2, linger=0.01)
    first, second = asyncio.create_task(batcher.submit(1)), asyncio.create_task(batcher.submit(2))
    await started.wait()
    first.cancel()
    assert await second == 2
    with pytest.raises(asyncio.CancelledError):
        await first
