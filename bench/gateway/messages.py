"""Messages for users `user-0`, `user-1`, … in turn, written to Kafka at an even rate."""

import asyncio
import time
from collections.abc import Callable
from itertools import count

from bench.gateway.clients import Clients
from bench.gateway.rate_search import Measured
from bench.whole.other_load import Elsewhere
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer

TICK = 0.02
"""Seconds between what is written together: messages come evenly, not all at once."""
PATIENCE = 10.0
"""Seconds that what is late may take, before it is missing."""
LATE = 1.05
"""Times as long as it should have taken: whoever writes was slower than what was asked for."""

Record = Callable[[str, int], bytes]
"""The message with this number, to this user, sent now."""


class Messages:
    """Writes to one topic, and has the clients say what arrived."""

    def __init__(
        self, producer: Producer, topic: str, partitions: int, record: Record, to: Clients
    ) -> None:
        self._producer = producer
        self._topic = topic
        self._record = record
        self._to = to
        self._numbers = count()
        users = [f"user-{number}" for number in range(to.count)]
        self._users = [(user, partition_of(user, partitions)) for user in users]

    async def measure(self, rate: int, seconds: int) -> Measured:
        """What arrived of so many a second.

        What was sent before and comes only now is not counted.
        """
        self._to.begin()
        elsewhere = Elsewhere()
        took = await self._send(rate, seconds)
        share = elsewhere.share()
        arrived = await self._to.arrived(rate * seconds, PATIENCE)
        return Measured(arrived if took < seconds * LATE else None, share)

    async def _send(self, rate: int, seconds: int) -> float:
        begin, sent = time.monotonic(), 0
        # Not awaited before the next are due: a server that holds up the broker must not have
        # fewer messages to handle for it.
        async with asyncio.TaskGroup() as writes:
            while sent < rate * seconds:
                due = min(rate * seconds, int((time.monotonic() - begin) * rate))
                for partition, entries in self._next(due - sent).items():
                    writes.create_task(self._producer.write(self._topic, partition, entries))
                sent = due
                await asyncio.sleep(TICK)
            return time.monotonic() - begin

    def _next(self, some: int) -> dict[int, list[tuple[bytes | None, bytes | None]]]:
        entries: dict[int, list[tuple[bytes | None, bytes | None]]] = {}
        for number, _ in zip(self._numbers, range(some), strict=False):
            user, partition = self._users[number % len(self._users)]
            record = user.encode(), self._record(user, number)
            entries.setdefault(partition, []).append(record)
        return entries
