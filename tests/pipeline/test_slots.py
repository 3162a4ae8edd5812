"""Who gets a slot first when calls in flight are scarce."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.slots import WEIGHTS, Slots
from schemas.vocabulary import Priority
from tests.patience import ended


async def order_of(slots: Slots, waiting: list[Priority], served: list[Priority]) -> None:
    """Let each wait for a slot, hold it for a moment, and note when it got it."""

    async def hold(priority: Priority) -> None:
        async with slots.hold(priority):
            served.append(priority)
            await asyncio.sleep(0)

    await asyncio.gather(*(hold(priority) for priority in waiting))


async def test_critical_never_waits_behind_the_rest() -> None:
    slots, served = Slots(4), list[Priority]()
    blocked = asyncio.Event()

    async def block() -> None:
        async with slots.hold(Priority.LOW):
            await blocked.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(100):
            tasks.create_task(block())
        await asyncio.sleep(0)  # now each has its slot, or waits for one
        await ended(order_of(slots, [Priority.CRITICAL], served))
        assert served == [Priority.CRITICAL]
        blocked.set()


async def test_the_rest_share_by_weight_and_none_starves() -> None:
    served: list[Priority] = []
    waiting = [p for _ in range(750) for p in reversed(WEIGHTS)]
    await order_of(Slots(4), waiting, served)
    first = Counter(served[:750])
    assert first[Priority.HIGH] == pytest.approx(400, rel=0.1)
    assert first[Priority.NORMAL] == pytest.approx(200, rel=0.1)
    assert first[Priority.LOW] == pytest.approx(100, rel=0.1)
    assert first[Priority.BULK] == pytest.approx(50, rel=0.1)


async def test_one_that_was_idle_does_not_crowd_out_the_others() -> None:
    slots, served = Slots(4), list[Priority]()
    await order_of(slots, [Priority.HIGH] * 1000, [])
    await order_of(slots, [Priority.HIGH] * 100 + [Priority.LOW] * 100, served)
    assert Counter(served[:100])[Priority.LOW] == pytest.approx(20, abs=8)


async def test_a_cancelled_wait_gives_its_place_back() -> None:
    slots = Slots(4)
    async with slots.hold(Priority.LOW), slots.hold(Priority.LOW), slots.hold(Priority.LOW):
        waiting = asyncio.create_task(order_of(slots, [Priority.LOW], []))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await ended(order_of(slots, [Priority.LOW] * 10, []))


@given(st.integers(1, 8), st.lists(st.sampled_from(Priority), max_size=60))
def test_there_are_never_more_holders_than_slots(total: int, waiting: list[Priority]) -> None:
    holders = most = 0

    async def run() -> None:
        nonlocal holders, most
        slots = Slots(max(2, total))

        async def hold(priority: Priority) -> None:
            nonlocal holders, most
            async with slots.hold(priority):
                holders += 1
                most = max(most, holders)
                await asyncio.sleep(0)
                holders -= 1

        await asyncio.gather(*(hold(priority) for priority in waiting))

    asyncio.run(run())
    assert holders == 0
    assert most <= max(2, total)
