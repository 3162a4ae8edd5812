"""Which provider a delivery goes to, and which next where that one is in trouble."""

import asyncio
import contextlib
from collections.abc import Sequence

from msgspec import Struct

from agents.sink.provider_calls import FORGOTTEN, NOT_CALLED, Call, Calls, Result
from pipeline.process.runtime import Runtime
from policy.contact.address import split_address
from policy.split import order_of
from schemas.errors import Abandoned
from schemas.question import CircuitState
from schemas.vocabulary import Reason
from sinks.provider import PermanentFailure, TransientFailure
from sinks.registry import Weighted

LONGEST_WAIT = 1.0
"""Seconds after which a delivery that waits for a circuit looks again."""


class Answer(Struct, frozen=True):
    """What came of a delivery, and by which provider; empty where none was asked. `before` are
    those that were called first and certainly did not take it."""

    provider: str
    result: Result
    before: tuple[tuple[str, TransientFailure], ...] = ()


class Dispatch:
    """The providers of one channel in a process.

    A delivery goes to the first provider, by weight and its id, that can reach its address and is
    not in trouble. If that one certainly did not take it, the next is asked at once. What a
    provider may have taken is asked of no other: it is tried again later, or, where `holds`,
    never by itself. While all providers are in trouble deliveries wait where they are, so that
    the rest stays in Kafka; it is tried again within a second of the first circuit's probe.
    """

    def __init__(self, providers: Sequence[Weighted], runtime: Runtime, *, holds: bool) -> None:
        self._clock = runtime.clock
        self._calls = {
            each.provider.name: Calls(each.provider, runtime, holds=holds) for each in providers
        }
        self._weights: dict[str, dict[str, int]] = {}
        for provider, weight in providers:
            self._weights.setdefault(provider.scheme, {})[provider.name] = weight

    def circuits(self) -> list[CircuitState]:
        """Which providers are called now, how they fare, and who is called instead of them."""
        return [calls.circuit(self._others(name)) for name, calls in self._calls.items()]

    def _others(self, name: str) -> list[str]:
        """Who reaches the same addresses and is called now, those of most weight first."""
        weights = self._weights[self._calls[name].provider.scheme]
        others = [other for other in weights if other != name and not self._calls[other].is_open]
        return sorted(others, key=lambda other: -weights[other])

    async def deliver(self, call: Call) -> Answer:
        """Deliver or say why not; what was sent is in the ledger on return. Raises Abandoned."""
        scheme, _ = split_address(call.delivery.address)
        weights = self._weights.get(scheme)
        if weights is None:
            channel = call.delivery.channel
            detail = f"{f'TOCSIN_{channel}_PROVIDERS'.upper()} lists none for {scheme or 'such'!r}"
            return Answer("", PermanentFailure(Reason.NO_PROVIDER, detail))
        order = order_of(call.delivery.delivery_id, weights)
        while (answer := await self._ask(call, order)) is None:
            others = [calls for name, calls in self._calls.items() if name not in order]
            if not all(calls.is_open for calls in others) and others:
                # Other addresses of this channel can be reached, so its lane must go on.
                after = min(self._calls[name].free_in() for name in order)
                return Answer("", TransientFailure(Reason.CIRCUIT_OPEN, ", ".join(order), after))
            await self._wait(call, order)
            if call.is_forgotten(call.delivery):
                return Answer("", FORGOTTEN)
            if self._clock.now() >= call.delivery.expires_at:
                return Answer("", TransientFailure(Reason.CIRCUIT_OPEN, ", ".join(order)))
        return answer

    async def _ask(self, call: Call, order: Sequence[str]) -> Answer | None:
        """The answer of the first that could be asked, or the last that failed; None of none."""
        failed = call.failed
        for name in order:
            calls = self._calls[name]
            if calls.is_open:
                continue
            result = await calls.deliver(call)
            if result is NOT_CALLED:
                continue
            if not isinstance(result, TransientFailure) or result.uncertain:
                return Answer(name, result, tuple(failed))
            failed.append((name, result))
        return Answer(*failed[-1], tuple(failed[:-1])) if failed else None

    async def _wait(self, call: Call, order: Sequence[str]) -> None:
        seconds = min(LONGEST_WAIT, *(self._calls[name].free_in() for name in order))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(call.closing.wait(), seconds)
            raise Abandoned
