"""ClickHouse as somebody asks it who looks at a page: an answer soon, or none."""

import asyncio
from typing import Any

from analytics.clickhouse import ClickHouse
from pipeline.settings import Settings
from schemas.errors import Unavailable

ANSWER_SECONDS = 12.0
"""Fewer than pages wait. A browser has six connections to a server, and all its questions and
those of its other tabs share them."""


class SoonOrNever(ClickHouse):
    """Gives a question up, here and in ClickHouse, that takes longer than `seconds`."""

    def __init__(self, settings: Settings, seconds: float = ANSWER_SECONDS) -> None:
        super().__init__(settings)
        self._seconds = seconds
        self._place = f"{settings.clickhouse_host}:{settings.clickhouse_port}"

    async def ask(
        self,
        sql: str,
        parameters: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
    ) -> tuple[list[str], list[Any]]:
        """As ClickHouse; raises Unavailable also where there is no answer in time."""
        bounded = {"max_execution_time": self._seconds, **(limits or {})}
        try:
            async with asyncio.timeout(self._seconds):
                return await super().ask(sql, parameters, bounded)
        except TimeoutError:
            raise Unavailable(
                f"ClickHouse at {self._place} did not answer within {self._seconds:g} s. It may be "
                "overloaded or hang; a shorter time takes less."
            ) from None
