"""Providers as a sink calls them: behind slots and circuits, with a ledger in memory."""

import asyncio

from agents.sink.dispatch import Answer, Dispatch
from agents.sink.provider_calls import Call
from pipeline.clock import Clock
from pipeline.process.runtime import Runtime
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.delivery import Delivery
from sinks.provider import Provider
from sinks.registry import Weighted
from tables.sent import SentLedger
from tables.storage.memory_store import MemoryStore


class Dispatching:
    """The dispatch of one provider."""

    def __init__(
        self, provider: Provider, settings: Settings, clock: Clock, *, holds: bool = False
    ) -> None:
        runtime = Runtime(settings, MemoryLog(clock), clock)
        self.dispatch = Dispatch([Weighted(provider, 1)], runtime, holds=holds)
        self.ledger = SentLedger(MemoryStore())

    async def deliver(self, delivery: Delivery) -> Answer:
        """Deliver, or say why not."""
        return await self.dispatch.deliver(Call(delivery, self.ledger, asyncio.Event()))

    @property
    def state(self) -> str:
        """That of the provider's circuit."""
        (circuit,) = self.dispatch.circuits()
        return circuit.state
