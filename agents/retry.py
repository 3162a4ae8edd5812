"""The retry agent: each retry topic is first in, first out, and waits until its head is due."""

import asyncio
import contextlib
from functools import partial

from agents.state import Stateless
from pipeline.errors import Abandoned
from pipeline.intake import Intake
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.topics import DELIVER, RETRIES
from schemas.delivery import Delivery
from schemas.encoding import encode

NAME = "retry"
SLICE = 100
"""Records in one slice: after a crash no more than these go out again."""


def retry(runtime: Runtime) -> Role:
    """The role `retry`."""
    topics = tuple(topic.name for topic in RETRIES.values())
    return Role(
        name=NAME,
        topics=topics,
        open_handler=partial(Retries, runtime),
        lane_per_topic=True,
        slice_records=dict.fromkeys(topics, SLICE),
    )


class Retries(Stateless):
    """The retry topics' share of one partition."""

    def __init__(self, runtime: Runtime, number: int, closing: asyncio.Event) -> None:
        kinds = dict.fromkeys(RETRIES.values(), Delivery)
        super().__init__(runtime, Intake(NAME, kinds, runtime.clock, runtime.settings.bad_share))
        self._closing = closing

    async def handle(self, slice_: Slice) -> None:
        """Put each delivery back into its deliver topic once it is due."""
        outputs = self._runtime.outputs()
        for record, delivery in self._intake.read(slice_, outputs):
            if delivery.due_at > self._runtime.clock.now():
                await outputs.flush()
                await self._wait_until(delivery.due_at)
            topic = DELIVER[delivery.channel, delivery.priority]
            outputs.add(topic, record.partition, record.key, encode(delivery))
        await outputs.flush()

    async def _wait_until(self, due_at: int) -> None:
        while (wait := due_at - self._runtime.clock.now()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), wait / 1000)
                raise Abandoned
