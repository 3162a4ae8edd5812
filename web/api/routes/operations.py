"""`/v1/operations`: how far each role and each source is, and which providers are called now."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from aiokafka.errors import KafkaError
from msgspec import Struct

from pipeline.admin.lag import Lag
from policy.time.timestamps import timestamp
from schemas.errors import Unavailable
from schemas.event import Timestamp
from schemas.question import CircuitState, ReadCircuits, ReadSources, SourceState
from schemas.topics import SINKS
from web.api.call import Call
from web.api.keys import Scope
from web.api.route import Reply, Route
from web.api.services import Services

INTAKE = "intake"
LOOK_TIMEOUT_SECONDS = 10.0
KEPT_SECONDS = 1.0
"""For which what one caller was told is told to others: roles commit twice a second."""


class RoleState(Struct, frozen=True):
    """Records that a role has before it, and in which topics; `lag` is their sum."""

    role: str
    lag: int
    topics: dict[str, int]


class ProviderState(Struct, frozen=True):
    """Whether a provider is called now, since when nothing succeeds, and what it said last.

    `state` is `closed` (all calls), `half_open` (one, to see) or `open` (none, for `free_in`
    seconds); then its deliveries go to those `instead`, and without any they wait.
    """

    provider: str
    state: str
    free_in: float
    failing_since: Timestamp | None
    last_error: str
    last_error_at: Timestamp | None
    instead: list[str]


class ProcessCircuits(Struct, frozen=True):
    """The circuits of one process of a sink; None where it does not answer."""

    role: str
    process: str
    circuits: list[ProviderState] | None


class SourceProgress(Struct, frozen=True):
    """How far a source of the catalogue is, all processes that read it together.

    `lag` are records of the company's topics before it, `per_second` those done lately; `moved`,
    `skipped` and `dead` are what came of the others since its processes began. `last_error` is why
    a record was refused last; where it `waits` it reads nothing for now, and says why.
    """

    source: str
    lag: int
    per_second: float
    moved: int
    skipped: int
    dead: int
    last_error: str
    last_error_at: Timestamp | None
    waits: str


class OperationsBody(Struct, frozen=True):
    """All of it, at one moment."""

    roles: list[RoleState]
    circuits: list[ProcessCircuits]
    sources: list[SourceProgress]


class Operations:
    """The handler: however many ask, it looks once at a time, and not more often than needed."""

    def __init__(self, desk: Services, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._monotonic = monotonic
        self._looking: asyncio.Task[OperationsBody] | None = None
        self._looked_at = 0.0

    def routes(self) -> list[Route]:
        """The route."""
        return [
            Route(
                "GET", "/v1/operations", Scope.OPERATE, "Lag by role and source, and circuits",
                self.look, {200: OperationsBody}, name="get_operations", tag="Operations",
            )
        ]  # fmt: skip

    async def look(self, call: Call) -> Reply:
        """From Kafka, intake and the sinks themselves; of all tenants, and up to a second old."""
        if self._looking is None or self._is_over(self._looking):
            self._looking = asyncio.create_task(self._look())
        # A caller that goes away must not take the look from the others.
        return Reply(await asyncio.shield(self._looking))

    def _is_over(self, looking: asyncio.Task[OperationsBody]) -> bool:
        if not looking.done():
            return False
        failed = looking.cancelled() or looking.exception() is not None
        return failed or self._monotonic() - self._looked_at > KEPT_SECONDS

    async def _look(self) -> OperationsBody:
        roles, circuits, sources = await asyncio.gather(
            self._roles(), self._circuits(), self._sources()
        )
        self._looked_at = self._monotonic()
        return OperationsBody(roles, circuits, sources)

    async def _roles(self) -> list[RoleState]:
        settings = self._desk.settings
        try:
            async with (
                asyncio.timeout(LOOK_TIMEOUT_SECONDS),
                Lag(settings.brokers, settings.partitions, outcomes=settings.outcomes) as lag,
            ):
                found = await lag.by_topic()
        except (KafkaError, TimeoutError) as error:
            raise Unavailable(f"Kafka at {settings.brokers} does not say how far it is.") from error
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
            ProcessCircuits(
                str(role), process, None if circuits is None else list(map(_told, circuits))
            )
            for role, found in zip(SINKS, answers, strict=True)
            for process, circuits in sorted(found.items())
        ]

    async def _sources(self) -> list[SourceProgress]:
        """Of the processes that answer."""
        answers = await self._desk.owners.ask_each(INTAKE, ReadSources(), list[SourceState])
        parts = defaultdict[str, list[SourceState]](list)
        for each in (state for states in answers.values() for state in states or ()):
            parts[each.source].append(each)
        return [_together(parts[source]) for source in sorted(parts)]


def _together(parts: Sequence[SourceState]) -> SourceProgress:
    last = max(parts, key=lambda each: each.last_error_at)
    return SourceProgress(
        source=last.source,
        lag=sum(each.lag for each in parts),
        per_second=round(sum(each.per_second for each in parts), 1),
        moved=sum(each.moved for each in parts),
        skipped=sum(each.skipped for each in parts),
        dead=sum(each.dead for each in parts),
        last_error=last.last_error,
        last_error_at=_at(last.last_error_at),
        waits=next((each.waits for each in parts if each.waits), ""),
    )


def _told(circuit: CircuitState) -> ProviderState:
    return ProviderState(
        provider=circuit.provider,
        state=circuit.state,
        free_in=circuit.free_in,
        failing_since=_at(circuit.failing_since),
        last_error=circuit.last_error,
        last_error_at=_at(circuit.last_error_at),
        instead=circuit.instead,
    )


def _at(moment: int) -> Timestamp | None:
    return timestamp(moment) if moment else None
