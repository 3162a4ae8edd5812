"""Several brokers on this machine, each a child process, for tests of what survives one's end."""

import asyncio
from pathlib import Path
from typing import Self

from embedded.kafka import Kafka, Node
from embedded.process import free_port

HEAP_MB = 256
"""Of each broker: three fit where else one does."""


class KafkaCluster:
    """A Kafka of some brokers, three unless told otherwise, with their data in `folder`.

    Each is a controller too, so that with three of them any one may be away.
    """

    def __init__(self, folder: Path, count: int = 3) -> None:
        controllers = {number: free_port() for number in range(1, count + 1)}
        self.brokers = [
            Kafka(folder / f"broker-{number}", node=Node(number, controllers, HEAP_MB))
            for number in controllers
        ]

    @property
    def address(self) -> str:
        """Where clients bootstrap: all of them, as host:port with commas in between."""
        return ",".join(broker.address for broker in self.brokers)

    def broker(self, number: int) -> Kafka:
        """The broker with this id, as metadata have it."""
        return self.brokers[number - 1]

    async def start(self) -> None:
        """Start those that don't run; none can be ready before most of them are."""
        await asyncio.gather(*(broker.start() for broker in self.brokers if not broker.is_running))

    async def stop(self) -> None:
        """End all in order; a paused one goes on, as it could not end otherwise."""
        for broker in self.brokers:
            if broker.is_running:
                broker.resume()
        await asyncio.gather(*(broker.stop() for broker in self.brokers))

    async def kill(self) -> None:
        """End all at once, as a power cut of their machines would, but for what disks forget."""
        await asyncio.gather(*(broker.kill() for broker in self.brokers))

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
