"""The analytics sink: delivery events go to ClickHouse in batches, then the offset moves."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import msgspec
from aiokafka import ConsumerRecord

from agents.state import Stateless
from analytics.clickhouse import ClickHouse
from analytics.erasure import Erased, erase, purge
from analytics.folding import fold
from analytics.migration import check_schema
from pipeline.batcher import Batcher
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ReadTo
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice
from schemas.audit import Audit
from schemas.delivery_event import DeliveryEvent
from schemas.erasure import Erasure
from schemas.errors import Abandoned, Unavailable
from schemas.topics import AUDIT, DELIVERY_EVENTS, ERASURES, Topic

NAME = "analytics"
AUDIT_COLUMNS = ("at", "who", "deed", "route", "tenant", "user_hash", "thing", "source")
SLICE = 5000
SLICE_BYTES = 4 << 20
ROOM = 4
"""With the usual 16 MiB in flight and eight partitions some 80,000 rows are in hand, and as many
are fetched meanwhile: ClickHouse takes large inserts at twice the rate of small ones."""
ROWS = 40_000
"""An insert at least, under load: others are decoded while it is on its way."""
GATHER = 0.1
"""Seconds between fetches: each partition's rows are a slice, and rows wait for longer anyway."""
LINGER = 1.0
"""Seconds that rows wait for others: ClickHouse wants few large inserts."""
UPKEEP_SECONDS = 3600.0
"""Until it is looked again what to take out of ClickHouse's files, and which days to count."""
FOLD_SECONDS = 120.0
"""Of these, in which days are counted; what is left then goes on in the next ones."""
PAUSES = (1, 2, 5, 10, 20)
"""Seconds between tries while ClickHouse is away; the last one repeats."""

log = logging.getLogger(__name__)


def analytics(clickhouse: ClickHouse, runtime: Runtime) -> Role:
    """The role `analytics`."""
    rows: Batcher[Sequence[DeliveryEvent], None] = Batcher(
        partial(_insert, clickhouse), most=ROWS, linger=LINGER, size=len
    )
    return Role(
        name=NAME,
        topics=(ERASURES.name, DELIVERY_EVENTS.name, AUDIT.name),
        open_handler=partial(Analytics, clickhouse, rows, runtime),
        check=partial(_check, clickhouse),
        close=clickhouse.close,
        slice_records={DELIVERY_EVENTS.name: SLICE},
        slice_bytes=SLICE_BYTES,
        room=ROOM,
        gather=GATHER,
        waits_outside=True,
    )


async def _check(clickhouse: ClickHouse) -> None:
    # While ClickHouse is away, its schema can't be asked for: rows wait in Kafka, as always.
    with suppress(Unavailable):
        await check_schema(clickhouse)


async def _insert(clickhouse: ClickHouse, groups: Sequence[Sequence[DeliveryEvent]]) -> list[None]:
    await clickhouse.insert([event for events in groups for event in events])
    return [None] * len(groups)


def audit_row(record: ConsumerRecord, done: Audit) -> tuple[object, ...]:
    """A row of the table `audit`, the same whenever the record is read."""
    at = datetime.fromtimestamp(done.at / 1000, UTC)
    source = f"{record.partition}:{record.offset}"
    told = (done.who, done.deed, done.route, done.tenant, done.user_hash, done.thing)
    return (at, *told, source)


class Analytics(Stateless):
    """The delivery events of one partition."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        rows: Batcher[Sequence[DeliveryEvent], None],
        runtime: Runtime,
        number: int,
        closing: asyncio.Event,
    ) -> None:
        kinds: dict[Topic, type[msgspec.Struct]] = {
            ERASURES: Erasure,
            DELIVERY_EVENTS: DeliveryEvent,
            AUDIT: Audit,
        }
        super().__init__(runtime, NAME, kinds)
        self._clickhouse = clickhouse
        self._number = number
        self._upkeep_at = self._fold_until = 0.0
        self._rows = rows
        self._closing = closing
        # Rows of a user and their erasure meet in one partition.
        self._erased: Erased | None = None

    async def handle(self, slice_: Slice) -> None:
        """Insert or erase; while ClickHouse is away, wait, with the rest left in Kafka."""
        outputs = self._runtime.outputs()
        if slice_.partition.topic == ERASURES.name:
            for record, erasure in self._intake.read(slice_, outputs):
                await self._do(partial(self._erase, erasure, record.timestamp))
        elif slice_.partition.topic == AUDIT.name:
            rows = [audit_row(*each) for each in self._intake.read(slice_, outputs)]
            await self._do(partial(self._note, rows))
        else:
            events = list(self._intake.read_lines(slice_, outputs))
            await self._do(partial(self._insert, events))
        await outputs.flush()

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Once a day, what was erased is taken out of files, and each hour, days that are closed
        are counted, a step between two slices: by whoever has the first partition."""
        if self._number:
            return None
        now = asyncio.get_running_loop().time()
        if now >= self._upkeep_at:
            self._upkeep_at, self._fold_until = now + UPKEEP_SECONDS, now + FOLD_SECONDS
            await self._purge()
            return 0
        if now < self._fold_until:
            if await self._fold():
                return 0
            self._fold_until = now
        return self._upkeep_at - now

    async def _purge(self) -> None:
        try:
            tables = await purge(self._clickhouse, self._runtime.settings.clickhouse_cluster)
        except Unavailable as error:
            log.warning("%s What was erased is in its files until then.", error)
        else:
            if tables:
                log.info("What was erased is being taken out of %s.", ", ".join(tables))

    async def _fold(self) -> bool:
        try:
            return await fold(self._clickhouse, self._runtime.settings.clickhouse_cluster)
        except Unavailable as error:
            log.warning("%s Days are folded within the hour after.", error)
            return False

    async def _insert(self, events: list[DeliveryEvent]) -> None:
        wanted = (await self._known()).without(events)
        if wanted:
            await self._rows.submit(wanted)

    async def _note(self, rows: list[tuple[object, ...]]) -> None:
        if rows:
            await self._clickhouse.insert_rows("audit", AUDIT_COLUMNS, rows)

    async def _erase(self, erasure: Erasure, at: int) -> None:
        (await self._known()).note(erasure.tenant, erasure.user, at)
        await erase(self._clickhouse, erasure.tenant, erasure.user, at)

    async def _known(self) -> Erased:
        if self._erased is None:
            erased = Erased()
            await erased.load(self._clickhouse)
            self._erased = erased
        return self._erased

    async def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        tries = 0
        while True:
            try:
                await work()
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
