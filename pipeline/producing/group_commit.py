"""One write at a time for many tasks: what gathers meanwhile is the next one."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from pipeline.batcher import Flush, Waiting, settle

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommit(Generic[Item, Result]):
    """Writes items in order of arrival; all that is submitted during a write goes with the next.

    So the slower writes are, the larger they get, and nothing waits while none is under way but
    for `linger` seconds, in which others may join. One write takes at most `most` items, or a
    single one; with `size` it is the sum of their sizes that is compared with `most`.

    `write` returns a result each; what it raises reaches every task whose item was in that write.
    """

    def __init__(
        self,
        write: Flush[Item, Result],
        most: int,
        linger: float = 0.0,
        size: Callable[[Item], int] = lambda _: 1,
    ) -> None:
        self._write = write
        self._most = most
        self._linger = linger
        self._size = size
        self._waiting: deque[Waiting[Item, Result]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Hand in an item and wait for its result."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._writer is None:
            # A task of its own: a caller that is cancelled must not take the others along.
            self._writer = asyncio.create_task(self._write_all())
        return await result

    async def _write_all(self) -> None:
        try:
            await asyncio.sleep(self._linger)
            while self._waiting:
                await settle(self._write, self._take())
        finally:
            self._writer = None

    def _take(self) -> list[Waiting[Item, Result]]:
        taken = [self._waiting.popleft()]
        room = self._most - self._size(taken[0][0])
        while self._waiting and (room := room - self._size(self._waiting[0][0])) >= 0:
            taken.append(self._waiting.popleft())
        return taken
