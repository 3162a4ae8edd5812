"""Calls in flight, shared by priority: critical never waits behind the rest, none starves."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schemas.vocabulary import Priority

WEIGHTS = {Priority.HIGH: 8, Priority.NORMAL: 4, Priority.LOW: 2, Priority.BULK: 1}
"""Shares of what critical leaves, when all of them wait: of calls here, of slices in a lane."""


class Slots:
    """At most `total` holders at once, a quarter of them kept free for critical."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._kept = max(1, total // 4)
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {
            priority: deque() for priority in Priority
        }
        self._turns = dict.fromkeys(WEIGHTS, 0.0)

    @asynccontextmanager
    async def hold(self, priority: Priority) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        queue = self._waiting[priority]
        if priority in WEIGHTS and not queue:
            # Having been idle saves up no turns.
            others = [self._turns[other] for other in WEIGHTS if self._waiting[other]]
            self._turns[priority] = max(self._turns[priority], min(others, default=0.0))
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                queue.remove(turn)
            else:
                self._release()
            raise
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        self._free += 1
        self._grant()

    def _grant(self) -> None:
        while (priority := self._next()) is not None:
            self._free -= 1
            self._waiting[priority].popleft().set_result(None)

    def _next(self) -> Priority | None:
        if self._free and self._waiting[Priority.CRITICAL]:
            return Priority.CRITICAL
        waiting = [priority for priority in WEIGHTS if self._waiting[priority]]
        if self._free <= self._kept or not waiting:
            return None
        chosen = min(waiting, key=self._turns.__getitem__)
        self._turns[chosen] += 1 / WEIGHTS[chosen]
        return chosen
