"""Whose turn it is among the slices of this process: many beside each other, or one alone."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Lets one slice have the process to itself, so that an end of it can't be another's fault."""

    def __init__(self) -> None:
        self._beside = 0
        self._wanted = 0
        self._is_alone = False
        self._waiting = deque[asyncio.Future[None]]()

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[None]:
        """Work beside others, once nobody wants to be alone."""
        while self._wanted:
            await self._change()
        self._beside += 1
        try:
            yield
        finally:
            self._beside -= 1
            self._tell()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Work alone, once all others are done; meanwhile none of them begins."""
        self._wanted += 1
        try:
            while self._beside or self._is_alone:
                await self._change()
            self._is_alone = True
            try:
                yield
            finally:
                self._is_alone = False
        finally:
            self._wanted -= 1
            self._tell()
        # Those who waited go before whoever was alone is so again.
        await asyncio.sleep(0)

    async def _change(self) -> None:
        change = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        await change

    def _tell(self) -> None:
        while self._waiting:
            change = self._waiting.popleft()
            if not change.done():
                change.set_result(None)


TURNS = Turns()
"""Of this process."""
