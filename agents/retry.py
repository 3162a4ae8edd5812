"""The retry agent: each retry topic is first in, first out, and waits until its head is due."""

import asyncio
import contextlib
from collections.abc import Iterable

import msgspec
from aiokafka import ConsumerRecord

from agents.state import Stateful, open_store
from pipeline.errors import Abandoned
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.topics import DELIVER, ERASURES, RETRIES, Topic
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.erasure import Erasure
from tables.erased import ERASED, is_forgotten, note_erasures
from tables.store import Store
from tables.turn import Turn

NAME = "retry"
SLICE = 100
"""Records in one slice: after a crash no more than these go out again."""


def retry(runtime: Runtime) -> Role:
    """The role `retry`."""
    topics = tuple(topic.name for topic in RETRIES.values())

    def open_handler(number: int, closing: asyncio.Event) -> Retries:
        return Retries(runtime, open_store(runtime, NAME, number, ERASED), closing)

    return Role(
        name=NAME,
        topics=(ERASURES.name, *topics),
        open_handler=open_handler,
        lane_per_topic=True,
        slice_records=dict.fromkeys(topics, SLICE),
    )


class Retries(Stateful):
    """The retry topics' share of one partition."""

    waits = True

    def __init__(self, runtime: Runtime, store: Store, closing: asyncio.Event) -> None:
        kinds: dict[Topic, type[msgspec.Struct]] = {
            ERASURES: Erasure,
            **dict.fromkeys(RETRIES.values(), Delivery),
        }
        super().__init__(store, runtime, NAME, kinds)
        self._closing = closing

    async def handle(self, slice_: Slice) -> None:
        """Put each delivery back into its deliver topic once it is due; or note who was erased."""
        turn = Turn(slice_, self._store, self._runtime.outputs())
        records = self._intake.read(slice_, turn.outputs)
        if slice_.partition.topic == ERASURES.name:
            note_erasures(turn, records)
        else:
            await self._put_back(records, turn)
        await turn.finish()

    async def _put_back(
        self, records: Iterable[tuple[ConsumerRecord, Delivery]], turn: Turn
    ) -> None:
        for record, delivery in records:
            if delivery.due_at > self._runtime.clock.now():
                # What was put back by now is done, whoever goes on when the wait is cut short.
                await turn.finish(up_to=record.offset)
                await self._wait_until(delivery.due_at)
            topic = DELIVER[delivery.channel, delivery.priority]
            of_user = delivery.tenant, delivery.user, delivery.accepted_at
            if not is_forgotten(self._store, *of_user):
                turn.outputs.add(topic, record.partition, record.key, encode(delivery))

    async def _wait_until(self, due_at: int) -> None:
        while (wait := due_at - self._runtime.clock.now()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), wait / 1000)
                raise Abandoned
