"""Calls in flight, shared by priority: critical never waits behind the rest, none starves.

Nor does anybody wait for a server that is slow, where calls go to several.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager

from schemas.vocabulary import Priority

_CRITICAL = Priority.CRITICAL  # see schemas.vocabulary
WEIGHTS = {Priority.HIGH: 8, Priority.NORMAL: 4, Priority.LOW: 2, Priority.BULK: 1}
"""Shares of what critical leaves, when all of them wait: of calls here, of slices in a lane."""


class _Queue:
    """Who waits, in turns by server and in order for each."""

    def __init__(self) -> None:
        self._by_server: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._by_server)

    def add(self, server: str, turn: asyncio.Future[None]) -> None:
        self._by_server.setdefault(server, deque()).append(turn)

    def remove(self, server: str, turn: asyncio.Future[None]) -> None:
        waiting = self._by_server.get(server, deque())
        if turn in waiting:
            waiting.remove(turn)
            if not waiting:
                del self._by_server[server]

    def servers(self) -> Iterable[str]:
        return self._by_server

    def pop(self, server: str) -> asyncio.Future[None]:
        waiting = self._by_server.pop(server)
        turn = waiting.popleft()
        if waiting:
            self._by_server[server] = waiting
        return turn


class WeightedSemaphore:
    """At most `total` holders at once, a quarter of them kept free for critical.

    One server's calls hold no more than are left free, and `of_one` at most: however many servers
    are slow, the next one finds a slot.
    """

    def __init__(self, total: int, of_one: int | None = None) -> None:
        self._free = total
        self._of_one = of_one or total
        self._kept = max(1, total // 4)
        self._waiting: dict[Priority, _Queue] = {priority: _Queue() for priority in Priority}
        self._turns = dict.fromkeys(WEIGHTS, 0.0)
        self._held: Counter[str] = Counter()
        self._is_queued = False
        """Whether anybody may be waiting."""

    def hold(self, priority: Priority, server: str = "") -> AbstractAsyncContextManager[None]:
        """Wait for a slot and hold it; without a `server` all calls go to the same one."""
        return _Slot(self, priority, server)

    async def acquire(self, priority: Priority, server: str) -> None:
        """Wait for a slot, which is then to be released."""
        if not self._is_queued and self._is_free(priority, server):
            # As the turn would come now, without a queue, a future and a look at all priorities.
            if priority in WEIGHTS:
                self._turns[priority] += 1 / WEIGHTS[priority]
            self._take(server)
            return
        queue = self._waiting[priority]
        if priority in WEIGHTS and not queue:
            # Having been idle saves up no turns.
            others = [self._turns[other] for other in WEIGHTS if self._waiting[other]]
            self._turns[priority] = max(self._turns[priority], min(others, default=0.0))
        turn = asyncio.get_running_loop().create_future()
        queue.add(server, turn)
        self._is_queued = True
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                queue.remove(server, turn)
            else:
                self.release(server)
            raise

    def release(self, server: str) -> None:
        """Give back a slot that was held for a call to this server."""
        self._free += 1
        if server:
            self._held[server] -= 1
            if not self._held[server]:
                del self._held[server]
        if self._is_queued:
            self._grant()

    def _is_free(self, priority: Priority, server: str) -> bool:
        left = self._free if priority is _CRITICAL else self._free - self._kept
        return left > 0 and self._may_hold(server, left)

    def _may_hold(self, server: str, left: int) -> bool:
        """Whether a server's calls may hold one more, when so many are left free."""
        return not server or self._held[server] < min(self._of_one, left)

    def _take(self, server: str) -> None:
        self._free -= 1
        if server:
            self._held[server] += 1

    def _grant(self) -> None:
        while (found := self._next()) is not None:
            priority, server = found
            turn = self._waiting[priority].pop(server)
            if turn.cancelled():
                # Given up, and its task had no chance to say so yet.
                continue
            self._take(server)
            turn.set_result(None)
        self._is_queued = any(self._waiting.values())

    def _next(self) -> tuple[Priority, str] | None:
        if not self._free:
            return None
        server = self._server(Priority.CRITICAL, self._free)
        if server is not None:
            return Priority.CRITICAL, server
        left = self._free - self._kept
        if left <= 0:
            return None
        ready = {
            priority: server
            for priority in WEIGHTS
            if (server := self._server(priority, left)) is not None
        }
        if not ready:
            return None
        chosen = min(ready, key=self._turns.__getitem__)
        self._turns[chosen] += 1 / WEIGHTS[chosen]
        return chosen, ready[chosen]

    def _server(self, priority: Priority, left: int) -> str | None:
        """Whose turn it is among those who may hold one more, when so many are left free."""
        servers = self._waiting[priority].servers()
        return next((server for server in servers if self._may_hold(server, left)), None)


class _Slot:
    """One holder's slot, from when it is its turn until its block ends."""

    def __init__(self, slots: WeightedSemaphore, priority: Priority, server: str) -> None:
        self._slots = slots
        self._priority = priority
        self._server = server

    async def __aenter__(self) -> None:
        await self._slots.acquire(self._priority, self._server)

    async def __aexit__(self, *_: object) -> None:
        self._slots.release(self._server)
