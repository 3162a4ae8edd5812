"""What providers whose calls carry one message have in common."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence

from schemas.delivery import Delivery
from schemas.vocabulary import Priority
from sinks.provider import OneServer, Outcome


class SingleMessageProvider(OneServer, ABC):
    """One call a delivery; a subclass says how one is sent, and what `Provider` asks beside."""

    batch_size = 1

    def linger(self, priority: Priority) -> float:
        """Nothing to wait for: a call carries one message."""
        return 0.0

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        """One call a delivery, together; see Provider.send for what is promised."""
        if len(deliveries) == 1:
            # As it always is behind a batcher; a task for it took as long as all else of ours.
            return (await self.send_one(deliveries[0]),)
        return await asyncio.gather(*(self.send_one(delivery) for delivery in deliveries))

    @abstractmethod
    async def send_one(self, delivery: Delivery) -> Outcome:
        """Make the call for one delivery; raises nothing for what a provider or network does."""

    async def close(self) -> None:
        """The connections are the shared client's, whose owner closes it."""
