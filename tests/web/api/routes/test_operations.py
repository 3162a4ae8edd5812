"""However many ask how far the roles are, it is looked at once at a time."""

import asyncio
from typing import Any, Self

import pytest

from pipeline.kafka.brokers import Brokers
from schemas.errors import Unavailable
from schemas.question import CircuitState, ReadCircuits, ReadSources, SourceState
from schemas.vocabulary import Channel
from tests.web.caller import memory, settings
from tests.web.desk import Asked, desk_of
from web.api.routes.operations import (
    KEPT_SECONDS,
    Operations,
    ProcessCircuits,
    ProviderState,
    RoleState,
    SourceProgress,
)


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

    async def _sources(self) -> list[SourceProgress]:
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


class Sinks(Asked):
    """Two processes of push, of which one is silent, and none of the others."""

    async def ask_each(self, role: str, question: Any, kind: Any) -> dict[str, Any]:
        assert (question, kind) == (ReadCircuits(), list[CircuitState])
        if role != Channel.PUSH:
            return {}
        well = CircuitState(provider="fcm", state="closed")
        ill = CircuitState(
            provider="apns",
            state="open",
            free_in=1.5,
            failing_since=1_772_366_400_000,
            last_error="provider_error: 503",
            last_error_at=1_772_366_401_234,
            instead=["other"],
        )
        return {"http://b": None, "http://a": [well, ill]}


async def test_the_circuits_of_each_process() -> None:
    operations = Operations(desk_of(memory(), settings(), 0, Sinks()))
    assert await operations._circuits() == [
        ProcessCircuits(
            "push",
            "http://a",
            [
                ProviderState("fcm", "closed", 0.0, None, "", None, []),
                ProviderState(
                    "apns",
                    "open",
                    1.5,
                    "2026-03-01T12:00:00.000Z",
                    "provider_error: 503",
                    "2026-03-01T12:00:01.234Z",
                    ["other"],
                ),
            ],
        ),
        ProcessCircuits("push", "http://b", None),
    ]


class Intake(Asked):
    """Three processes, which read parts of two sources; one is silent."""

    async def ask_each(self, role: str, question: Any, kind: Any) -> dict[str, Any]:
        assert (role, question, kind) == ("intake", ReadSources(), list[SourceState])
        orders: dict[str, Any] = {"source": "orders", "per_second": 10.25, "moved": 5, "skipped": 1}
        late: dict[str, Any] = {
            "dead": 2,
            "last_error": "orders/1/8: no",
            "last_error_at": 1_772_366_401_234,
        }
        early: dict[str, Any] = {
            "dead": 1,
            "last_error": "orders/0/3: no",
            "last_error_at": 1_772_366_400_000,
        }
        return {
            "http://b": [SourceState(**orders, **late, lag=3, waits="refuses 2")],
            "http://a": [SourceState(**orders, **early, lag=4), SourceState(source="invoices")],
            "http://c": None,
        }


async def test_a_source_is_what_its_processes_say_together() -> None:
    operations = Operations(desk_of(memory(), settings(), 0, Intake()))
    assert await operations._sources() == [
        SourceProgress("invoices", 0, 0.0, 0, 0, 0, "", None, ""),
        SourceProgress(
            "orders", 7, 20.5, 10, 2, 3, "orders/1/8: no", "2026-03-01T12:00:01.234Z", "refuses 2"
        ),
    ]


class Behind:
    """Two roles, one of which has records before it."""

    def __init__(self, *of: object, outcomes: bool) -> None:
        assert (of, outcomes) == ((Brokers("kafka.example:1"), 1), False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def by_topic(self) -> dict[str, dict[str, int]]:
        return {"router": {"events": 3, "follows": 4, "cancellations": 0}, "push": {}}


async def test_how_far_each_role_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.routes.operations.Lag", Behind)
    desk = desk_of(memory(), settings(kafka="kafka.example:1"), 0)
    assert await Operations(desk)._roles() == [
        RoleState("router", 7, {"events": 3, "follows": 4}),
        RoleState("push", 0, {}),
    ]


async def test_without_kafka_nobody_knows_how_far_they_are() -> None:
    desk = desk_of(memory(), settings(kafka="127.0.0.1:1"), 0)
    with pytest.raises(Unavailable, match=r"^Kafka at 127\.0\.0\.1:1 does not say how far it is"):
        await Operations(desk)._roles()
