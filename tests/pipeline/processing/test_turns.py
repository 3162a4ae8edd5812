"""Slices go on beside each other, and one that is suspected has the process to itself."""

import asyncio

from pipeline.processing.turns import Turns


class Diary:
    """Who works at the same time as whom."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.seen: list[set[str]] = []
        self._working: set[str] = set()

    async def beside(self, name: str) -> None:
        async with self.turns.beside():
            await self._work(name)

    async def alone(self, name: str) -> None:
        async with self.turns.alone():
            await self._work(name)

    async def _work(self, name: str) -> None:
        self._working.add(name)
        self.seen.append({*self._working})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._working.discard(name)


async def test_many_work_beside_each_other() -> None:
    diary = Diary()
    await asyncio.gather(*(diary.beside(name) for name in "abc"))
    assert diary.seen[-1] == {*"abc"}


async def test_whoever_is_alone_waits_for_all_and_all_wait_for_them() -> None:
    diary = Diary()
    await asyncio.gather(
        diary.beside("a"), diary.alone("X"), diary.beside("b"), diary.alone("Y"), diary.beside("c")
    )
    assert [here for here in diary.seen if here & {"X", "Y"}] == [{"X"}, {"Y"}]
    assert {name for here in diary.seen for name in here} == {*"abcXY"}


async def test_those_who_waited_go_before_the_same_is_alone_again() -> None:
    diary = Diary()

    async def again_and_again() -> None:
        for number in range(3):
            await diary.alone(f"X{number}")

    await asyncio.gather(again_and_again(), diary.beside("a"))
    assert diary.seen.index({"a"}) == 1


async def test_an_end_by_force_leaves_the_turn_to_others() -> None:
    diary = Diary()
    for turn in (diary.alone, diary.beside):
        working = asyncio.create_task(turn("X"))
        waiting = asyncio.create_task(diary.alone("Y"))
        await asyncio.sleep(0)
        waiting.cancel()
        working.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)
    async with asyncio.timeout(60):
        await diary.beside("a")
        await diary.alone("b")
