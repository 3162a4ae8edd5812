"""Who gets a slot first when calls in flight are scarce."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.processing.weighted_semaphore import WEIGHTS, WeightedSemaphore
from schemas.vocabulary import Priority
from tests.patience import ended


async def order_of(
    slots: WeightedSemaphore, waiting: list[Priority], served: list[Priority]
) -> None:
    """Let each wait for a slot, hold it for a moment, and note when it got it."""

    async def hold(priority: Priority) -> None:
        async with slots.hold(priority):
            served.append(priority)
            await asyncio.sleep(0)

    await asyncio.gather(*(hold(priority) for priority in waiting))


async def test_critical_never_waits_behind_the_rest() -> None:
    slots, served = WeightedSemaphore(4), list[Priority]()
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
    await order_of(WeightedSemaphore(4), waiting, served)
    first = Counter(served[:750])
    assert first[Priority.HIGH] == pytest.approx(400, rel=0.1)
    assert first[Priority.NORMAL] == pytest.approx(200, rel=0.1)
    assert first[Priority.LOW] == pytest.approx(100, rel=0.1)
    assert first[Priority.BULK] == pytest.approx(50, rel=0.1)


async def test_one_that_was_idle_does_not_crowd_out_the_others() -> None:
    slots, served = WeightedSemaphore(4), list[Priority]()
    await order_of(slots, [Priority.HIGH] * 1000, [])
    await order_of(slots, [Priority.HIGH] * 100 + [Priority.LOW] * 100, served)
    assert Counter(served[:100])[Priority.LOW] == pytest.approx(20, abs=8)


async def test_a_cancelled_wait_gives_its_place_back() -> None:
    slots = WeightedSemaphore(4)
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
        slots = WeightedSemaphore(max(2, total))

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


class Calls:
    """Calls to servers that answer when they are let."""

    def __init__(self, slots: WeightedSemaphore) -> None:
        self.slots = slots
        self.under_way: Counter[str] = Counter()
        self.go: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def make(self, server: str, count: int, priority: Priority = Priority.LOW) -> None:
        """Make so many, as far as there are slots."""
        go = self.go.setdefault(server, asyncio.Event())

        async def hold() -> None:
            async with self.slots.hold(priority, server):
                self.under_way[server] += 1
                await go.wait()
                self.under_way[server] -= 1

        self._tasks += [asyncio.create_task(hold()) for _ in range(count)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def give_up(self) -> None:
        """Cancel all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end(self) -> None:
        """Let all servers answer."""
        for go in self.go.values():
            go.set()
        await ended(asyncio.gather(*self._tasks))


async def test_a_slow_server_holds_a_part_of_the_slots_and_another_is_called_at_once() -> None:
    calls = Calls(WeightedSemaphore(256, 16))
    await calls.make("slow", 500)
    await calls.make("fast", 1)
    assert calls.under_way == {"slow": 16, "fast": 1}
    await calls.end()
    assert not any(calls.under_way.values())


async def test_where_no_number_bounds_one_server_it_leaves_half_of_what_there_is() -> None:
    calls = Calls(WeightedSemaphore(8))
    await calls.make("slow", 50)  # two of the eight are critical's
    await calls.make("other", 50)
    await calls.make("third", 50)
    assert calls.under_way == {"slow": 3, "other": 2, "third": 1}
    await calls.make("slow", 1, Priority.CRITICAL)
    await calls.make("fast", 1, Priority.CRITICAL)
    # Critical ones may take from what is kept for them, and leave as much to each other.
    assert calls.under_way == {"slow": 3, "other": 2, "third": 1, "fast": 1}
    await calls.end()


async def test_servers_take_turns_and_each_keeps_its_order() -> None:
    slots, served = WeightedSemaphore(2), list[str]()
    first = asyncio.Event()

    async def hold(name: str) -> None:
        async with slots.hold(Priority.LOW, name[0]):
            served.append(name)
            await first.wait()
            await asyncio.sleep(0)

    names = ["x1", "a1", "a2", "a3", "b1", "b2", "c1"]
    tasks = [asyncio.create_task(hold(name)) for name in names]
    await asyncio.sleep(0)
    first.set()
    await ended(asyncio.gather(*tasks))
    assert served == ["x1", "a1", "b1", "c1", "a2", "b2", "a3"]


async def test_a_call_that_was_given_up_before_its_turn_waits_no_more() -> None:
    slots = WeightedSemaphore(8, 1)
    calls = Calls(slots)
    await calls.make("one", 3)
    assert any(queue.servers() for queue in slots._waiting.values())
    await calls.give_up()
    assert not any(queue._by_server.values() for queue in slots._waiting.values())


async def test_a_call_that_was_given_up_gives_its_servers_slot_back() -> None:
    calls = Calls(WeightedSemaphore(8, 1))
    await calls.make("one", 3)
    assert calls.under_way["one"] == 1
    await calls.give_up()
    calls.under_way.clear()
    await calls.make("one", 1)
    assert calls.under_way["one"] == 1
    await calls.give_up()
