"""`/v1/operations`: how far each role is, and which providers are called now."""

import asyncio

from aiokafka.errors import KafkaError
from msgspec import Struct

from pipeline.errors import Unavailable
from pipeline.lag import Lag
from pipeline.topics import SINKS
from schemas.circuit import CircuitState, ReadCircuits
from web.api.desk import Desk
from web.api.keys import Scope
from web.api.route import Call, Reply, Route

PATIENCE = 10.0


class RoleState(Struct, frozen=True):
    """Records that a role has before it, and in which topics; `lag` is their sum."""

    role: str
    lag: int
    topics: dict[str, int]


class ProcessCircuits(Struct, frozen=True):
    """The circuits of one process of a sink; None where it does not answer."""

    role: str
    process: str
    circuits: list[CircuitState] | None


class OperationsBody(Struct, frozen=True):
    """All of it, at one moment."""

    roles: list[RoleState]
    circuits: list[ProcessCircuits]


class Operations:
    """The handler."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                "GET", "/v1/operations", Scope.OPERATE, "Lag by role and topic, and circuits",
                self.look, {200: OperationsBody},
            )
        ]  # fmt: skip

    async def look(self, call: Call) -> Reply:
        """From Kafka, and from the sinks themselves; of all tenants."""
        roles, circuits = await asyncio.gather(self._roles(), self._circuits())
        return Reply(OperationsBody(roles, circuits))

    async def _roles(self) -> list[RoleState]:
        settings = self._desk.settings
        try:
            async with asyncio.timeout(PATIENCE), Lag(settings.kafka, settings.partitions) as lag:
                found = await lag.by_topic()
        except (KafkaError, TimeoutError) as error:
            raise Unavailable(f"Kafka at {settings.kafka} does not say how far it is.") from error
        return [
            RoleState(role, sum(topics.values()), {name: n for name, n in topics.items() if n})
            for role, topics in found.items()
        ]

    async def _circuits(self) -> list[ProcessCircuits]:
        owners, question = self._desk.owners, ReadCircuits()
        answers = await asyncio.gather(
            *(owners.ask_each(role, question, list[CircuitState]) for role in SINKS)
        )
        return [
            ProcessCircuits(str(role), process, circuits)
            for role, found in zip(SINKS, answers, strict=True)
            for process, circuits in sorted(found.items())
        ]
