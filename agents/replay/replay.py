"""Replaying what happened under two catalogues, side by side, with nothing sent."""

from collections.abc import AsyncIterator, Sequence

import msgspec
from aiokafka import ConsumerRecord
from msgspec import Struct

from agents.replay.comparison import Comparison, Outcome, compare
from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from agents.replay.notification_outcomes import Fates
from agents.replay.state_snapshot import Population
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.processing.slices import RECORDS
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from schemas.encoding import UNDECODABLE
from schemas.kinds import kind_of
from schemas.topics import CANCELLATIONS, EVENTS, FEEDBACK, SUPPRESSIONS

TOPICS = (EVENTS, CANCELLATIONS, FEEDBACK, SUPPRESSIONS)
"""What is replayed; what people want and whom they follow is taken as it is now."""
_RECEIPT = "receipt"
LONGEST_MS = 32 * 86_400_000
"""How long the clock runs on at the end: no digest's window is longer than 31 days."""
MOMENT_MS = 1000
"""Records this close together are decided on at one moment."""
_STEP_MS = 3_600_000


class Replay:
    """Two rehearsals of the same records, which differ in nothing but the catalogue.

    Only what becomes of events from `begin` (epoch ms) on is compared: those before it are there
    so that limits, marks and open digests are as they were.
    """

    def __init__(
        self,
        before: Catalogue,
        after: Catalogue,
        settings: Settings,
        population: Population,
        begin: int,
    ) -> None:
        self._runs = [_Run(each, settings, population, begin) for each in (before, after)]

    async def play(self, records: Sequence[ConsumerRecord]) -> None:
        """Play records that were taken at about one moment, not before those played so far."""
        for run in self._runs:
            await run.play(records)

    async def finish(self) -> Comparison:
        """Let time pass until nothing waits that is due within 32 days, and compare."""
        for run in self._runs:
            await run.finish()
        return compare(*(run.outcome for run in self._runs))

    @property
    def unusable(self) -> int:
        """Records that could not be used under either catalogue."""
        return max(run.fates.unusable for run in self._runs)


class _Run:
    """One rehearsal, whose log is read and forgotten as it goes on."""

    def __init__(
        self, catalogue: Catalogue, settings: Settings, population: Population, begin: int
    ) -> None:
        self.fates = Fates(begin)
        self._catalogue = catalogue
        self._clock = HeldClock()
        self._log = MemoryLog(self._clock)
        self._rehearsal = Rehearsal(
            FixedCatalogue(catalogue),
            _as_one_partition(settings),
            self._log,
            self._clock,
            *population.stores(),
        )

    @property
    def outcome(self) -> Outcome:
        return Outcome(self._catalogue, self.fates.found)

    async def play(self, records: Sequence[ConsumerRecord]) -> None:
        await self._advance(records[0].timestamp)
        for record in records:
            self._clock.at = max(self._clock.at, record.timestamp)
            await self._log.write(record.topic, 0, [(record.key, record.value)])
        await self._rehearsal.settle()
        self.fates.take(self._log)

    async def finish(self) -> None:
        end = self._clock.at + LONGEST_MS
        while self._clock.at < end:
            # Hour by hour, as what waits may be much, and the log is in memory.
            await self._advance(self._clock.at + _STEP_MS)

    async def _advance(self, to: int) -> None:
        if to > self._clock.at:
            await self._rehearsal.advance(to)
            self.fates.take(self._log)


class _Owned(Struct):
    tenant: str = "default"


_decode_owned = msgspec.json.Decoder(_Owned).decode


def is_of(record: ConsumerRecord, tenant: str) -> bool:
    """Whether a record is of this tenant; one that can't be read is of none."""
    try:
        return _decode_owned(record.value or b"").tenant == tenant
    except UNDECODABLE:
        return False


def is_replayed(record: ConsumerRecord) -> bool:
    """Whether a record of these topics is replayed; of suppressions, receipts alone are."""
    return record.topic != SUPPRESSIONS.name or kind_of(record.value or b"") == _RECEIPT


async def batches(records: AsyncIterator[ConsumerRecord]) -> AsyncIterator[list[ConsumerRecord]]:
    """Records of about one moment together, as a worker takes them too: within a second."""
    batch: list[ConsumerRecord] = []
    async for record in records:
        if batch and (len(batch) == RECORDS or record.timestamp >= batch[0].timestamp + MOMENT_MS):
            yield batch
            batch = []
        batch.append(record)
    if batch:
        yield batch


def _as_one_partition(settings: Settings) -> Settings:
    share = settings.tenant_share * settings.partitions
    # Bad records are counted here, and must not end it.
    return settings.model_copy(update={"tenant_share": share, "bad_share": 1.0})
