"""The analytics sink: delivery events go to ClickHouse in batches, then the offset moves."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from agents.state import Stateless
from analytics.clickhouse import ClickHouse
from analytics.migration import check_schema
from pipeline.batcher import Batcher
from pipeline.errors import Unavailable
from pipeline.intake import Intake
from pipeline.lanes import Abandoned
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.topics import DELIVERY_EVENTS
from schemas.delivery_event import DeliveryEvent

NAME = "analytics"
SLICE = 5000
LINGER = 0.25
"""Seconds that rows wait for others: ClickHouse wants few large inserts."""
PAUSES = (1, 2, 5, 10, 20)
"""Seconds between tries while ClickHouse is away; the last one repeats."""

log = logging.getLogger(__name__)


def analytics(clickhouse: ClickHouse, runtime: Runtime) -> Role:
    """The role `analytics`."""
    rows: Batcher[Sequence[DeliveryEvent], None] = Batcher(
        partial(_insert, clickhouse), most=16, linger=LINGER
    )
    return Role(
        name=NAME,
        topics=(DELIVERY_EVENTS.name,),
        open_handler=partial(Analytics, rows, runtime),
        check=partial(_check, clickhouse),
        close=clickhouse.close,
        slice_records={DELIVERY_EVENTS.name: SLICE},
    )


async def _check(clickhouse: ClickHouse) -> None:
    # While ClickHouse is away, its schema can't be asked for: rows wait in Kafka, as always.
    with suppress(Unavailable):
        await check_schema(clickhouse)


async def _insert(clickhouse: ClickHouse, groups: Sequence[Sequence[DeliveryEvent]]) -> list[None]:
    await clickhouse.insert([event for events in groups for event in events])
    return [None] * len(groups)


class Analytics(Stateless):
    """The delivery events of one partition."""

    def __init__(
        self,
        rows: Batcher[Sequence[DeliveryEvent], None],
        runtime: Runtime,
        number: int,
        closing: asyncio.Event,
    ) -> None:
        self._rows = rows
        self._runtime = runtime
        self._closing = closing
        kinds = {DELIVERY_EVENTS: DeliveryEvent}
        self._intake = Intake(NAME, kinds, runtime.clock, runtime.settings.bad_share)

    async def handle(self, slice_: Slice) -> None:
        """Insert the slice; while ClickHouse is away, wait, with the rest left in Kafka."""
        outputs = self._runtime.outputs()
        events = list(self._intake.read_lines(slice_, outputs))
        await outputs.flush()
        tries = 0
        while events:
            try:
                await self._rows.submit(events)
                return
            except Unavailable as error:
                pause = PAUSES[min(tries, len(PAUSES) - 1)]
                tries += 1
                log.warning("%s Trying again in %d s.", error, pause)
                await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return
        raise Abandoned
