"""What is still to be done: end offsets against what each role has committed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiokafka import TopicPartition

from pipeline.admin.end_offsets import EndOffsets, Ends
from pipeline.kafka.brokers import Kafka
from pipeline.kafka.clients import new_admin
from schemas.topics import INPUTS, READ_IF_SET, group_of

PAUSE = 0.4
"""Seconds between looks: roles commit twice a second."""


class Lag:
    """Looks at a Kafka from outside, with the means that every Kafka user has.

    With `outcomes` the role intake has delivery events before it, too.
    """

    def __init__(self, kafka: Kafka, partitions: int, *, outcomes: bool = False) -> None:
        self._admin = new_admin(kafka)
        self._inputs = {
            role: (*topics, *(READ_IF_SET.get(role, ()) if outcomes else ()))
            for role, topics in INPUTS.items()
        }
        self._ends = Ends(kafka, (topic.name for topics in INPUTS.values() for topic in topics))
        self._partitions = partitions
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._ends)
        self._open.push_async_callback(self._admin.close)
        try:
            await self._admin.start()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    async def by_topic(self) -> dict[str, dict[str, int]]:
        """Records that each role has before it, by the topic that they are in."""
        lags, _ = await self._look(tuple(INPUTS))
        return lags

    async def look(self, roles: Iterable[str] = tuple(INPUTS)) -> tuple[dict[str, int], EndOffsets]:
        """Records that each role has before it, and the end offsets that were compared with."""
        lags, ends = await self._look(tuple(roles))
        return {role: sum(topics.values()) for role, topics in lags.items()}, ends

    async def _look(self, roles: Iterable[str]) -> tuple[dict[str, dict[str, int]], EndOffsets]:
        by_role = {
            role: [
                TopicPartition(topic.name, number)
                for topic in self._inputs[role]
                for number in range(self._partitions)
            ]
            for role in roles
        }
        # Ends first: what is committed after that can only be more.
        ends = await self._ends.of({tp for tps in by_role.values() for tp in tps})
        lags: dict[str, dict[str, int]] = {}
        for role, tps in by_role.items():
            committed = await self._admin.list_consumer_group_offsets(group_of(role))
            done = {tp: max(0, place.offset) for tp, place in committed.items()}
            lags[role] = dict.fromkeys((tp.topic for tp in tps), 0)
            for tp in tps:
                lags[role][tp.topic] += max(0, ends[tp] - done.get(tp, 0))
        return lags, ends

    async def settle(
        self,
        patience: float,
        told: Callable[[dict[str, int]], Awaitable[None]],
        roles: Iterable[str] = tuple(INPUTS),
        waiting: Callable[[], Awaitable[int]] | None = None,
    ) -> bool:
        """Wait until these roles have nothing to do; False once nothing moved for `patience` s.

        Nothing may be `waiting` in a role's state either.

        Nothing left means: no lag in two looks with the same ends. Outputs are acknowledged
        before their input is committed, so what was found done in the first look would show as
        new records in the second.
        """
        before: tuple[dict[str, int], EndOffsets, int] | None = None
        moved = time.monotonic()
        while time.monotonic() - moved < patience:
            lags, ends = await self.look(roles)
            await told(lags)
            now = lags, ends, await waiting() if waiting else 0
            idle = not any(lags.values()) and not now[2]
            if now != before:
                moved = time.monotonic()
            elif idle:
                return True
            before = now
            await asyncio.sleep(0 if idle else PAUSE)
        return False
