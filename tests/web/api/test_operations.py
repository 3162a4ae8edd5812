"""However many ask how far the roles are, it is looked at once at a time."""

import asyncio
from typing import Any

import pytest

from pipeline.errors import Unavailable
from web.api.operations import KEPT_SECONDS, Operations, ProcessCircuits, RoleState


class Looked(Operations):
    """Answers with the number of its look, once it may."""

    def __init__(self) -> None:
        desk: Any = None
        self.now = 100.0
        super().__init__(desk, lambda: self.now)
        self.looks = 0
        self.may_end = asyncio.Event()
        self.is_down = False

    async def _roles(self) -> list[RoleState]:
        self.looks += 1
        number = self.looks
        await self.may_end.wait()
        if self.is_down:
            raise Unavailable("away")
        return [RoleState("router", number, {})]

    async def _circuits(self) -> list[ProcessCircuits]:
        return []

    async def lag(self) -> int:
        call: Any = None
        (role,) = (await self.look(call)).value.roles
        return int(role.lag)


async def test_who_asks_while_it_is_looked_is_told_the_same() -> None:
    operations = Looked()
    asking = [asyncio.create_task(operations.lag()) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    operations.may_end.set()
    assert await asyncio.gather(*asking[1:]) == [1, 1, 1, 1]


async def test_it_is_looked_again_once_it_is_old() -> None:
    operations = Looked()
    operations.may_end.set()
    assert await operations.lag() == 1
    operations.now += KEPT_SECONDS
    assert await operations.lag() == 1
    operations.now += 0.001
    assert await operations.lag() == 2


async def test_a_failure_is_not_kept() -> None:
    operations = Looked()
    operations.may_end.set()
    operations.is_down = True
    with pytest.raises(Unavailable):
        await operations.lag()
    operations.is_down = False
    assert await operations.lag() == 2
