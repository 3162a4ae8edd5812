"""Group commit: items from many tasks share one costly call, and each gets its own result."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Flush = Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
"""Works on items together, and returns a result each."""
Waiting = tuple[Item, asyncio.Future[Result]]
"""An item, and where its result is waited for."""


class Batcher(Generic[Item, Result]):
    """Collects items until `most` are there or the first has waited `linger` seconds.

    With `size` it is the sum of their sizes that is compared with `most`.

    `flush` gets them in order of arrival and returns a result each; what it raises reaches every
    task whose item was in that call. Several flushes may run at once.
    """

    def __init__(
        self,
        flush: Flush[Item, Result],
        most: int,
        linger: float,
        size: Callable[[Item], int] = lambda _: 1,
    ) -> None:
        self._flush = flush
        self._most = most
        self._linger = linger
        self._size = size
        self._sum = 0
        self._waiting: list[Waiting[Item, Result]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushes: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """Hand in an item and wait for its result."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, result))
        self._sum += self._size(item)
        if self._sum >= self._most:
            self._start_flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._linger, self._start_flush)
        return await result

    def _start_flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        taken, self._waiting, self._sum = self._waiting, [], 0
        if taken:
            task = asyncio.create_task(settle(self._flush, taken))
            self._flushes.add(task)
            task.add_done_callback(self._flushes.discard)


async def settle(flush: Flush[Item, Result], taken: Sequence[Waiting[Item, Result]]) -> None:
    """Flush what was taken, and give each its result, or what was raised."""
    try:
        results = await flush([item for item, _ in taken])
        for (_, future), result in zip(taken, results, strict=True):
            if not future.done():
                future.set_result(result)
    except BaseException as error:
        for _, future in taken:
            if not future.done():
                future.set_exception(error)
        if isinstance(error, asyncio.CancelledError):
            raise
