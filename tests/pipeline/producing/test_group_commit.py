"""One write at a time: what is submitted meanwhile goes together with the next one."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from pipeline.producing.group_commit import GroupCommit
from tests.pipeline.gate import settled
from tests.virtual_time import in_virtual_time, now


class Writes:
    """Writes that end when their test says so."""

    def __init__(
        self, most: int = 100, linger: float = 0.0, size: Callable[[int], int] = lambda _: 1
    ) -> None:
        self.begun: list[list[int]] = []
        self.gate: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.group: GroupCommit[int, int] = GroupCommit(self._double, most, linger, size)

    def submit(self, *items: int) -> list[asyncio.Task[int]]:
        """Hand in items, each from a task of its own."""
        return [asyncio.create_task(self.group.submit(item)) for item in items]

    async def _double(self, items: Sequence[int]) -> list[int]:
        self.begun.append(list(items))
        error = await self.gate.get()
        if error is not None:
            raise error
        return [2 * item for item in items]


async def test_all_that_comes_during_a_write_goes_with_the_next() -> None:
    writes = Writes()
    first = writes.submit(1)
    await settled()
    assert writes.begun == [[1]]
    later = [task for item in (2, 3, 4) for task in writes.submit(item)]
    await settled()
    assert writes.begun == [[1]]
    writes.gate.put_nowait(None)
    await settled()
    assert writes.begun == [[1], [2, 3, 4]]
    assert first[0].result() == 2
    assert not any(task.done() for task in later)
    writes.gate.put_nowait(None)
    assert await asyncio.gather(*later) == [4, 6, 8]
    # And once more, after a while in which there was nothing to write.
    again = writes.submit(5)
    writes.gate.put_nowait(None)
    assert await asyncio.gather(*again) == [10]


@in_virtual_time
async def test_nothing_waits_while_no_write_is_under_way_but_for_the_linger() -> None:
    for linger in (0.0, 0.01):
        writes, began = Writes(linger=linger), now()
        writes.gate.put_nowait(None)
        await writes.group.submit(1)
        assert now() - began == pytest.approx(linger)


async def test_a_write_holds_what_fits_and_what_alone_does_not_goes_alone() -> None:
    writes = Writes(most=10, size=lambda item: item)
    for _ in range(4):
        writes.gate.put_nowait(None)
    assert await asyncio.gather(*writes.submit(4, 6, 1, 30, 9)) == [8, 12, 2, 60, 18]
    assert writes.begun == [[4, 6], [1], [30], [9]]


async def test_an_error_reaches_everyone_of_its_write_and_the_next_is_made() -> None:
    writes = Writes(most=2)
    writes.gate.put_nowait(ValueError("no"))
    writes.gate.put_nowait(None)
    found = await asyncio.gather(*writes.submit(1, 2, 3), return_exceptions=True)
    assert [type(each) for each in found] == [ValueError, ValueError, int]


async def test_who_gives_up_waiting_takes_nobody_along() -> None:
    writes = Writes()
    first, second, third = *writes.submit(1), *writes.submit(2), *writes.submit(3)
    await settled()
    first.cancel()
    await settled()
    writes.gate.put_nowait(None)
    assert (await second, await third) == (4, 6)
    assert writes.begun == [[1, 2, 3]]
    assert first.cancelled()
