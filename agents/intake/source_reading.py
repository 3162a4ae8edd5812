"""What the role `intake` does with the records of one source."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from agents.intake.placed import add_placed, written_at
from agents.intake.refusals import WINDOW, Refusals
from agents.intake.source_figures import SourceFigures
from pipeline.catalogue_folder import Catalogues
from pipeline.kafka import decompression
from pipeline.kafka.decompression import Unread
from pipeline.monitoring import metrics
from pipeline.process.runtime import Runtime
from pipeline.processing.misplaced import headers_of
from pipeline.processing.record_faults import is_of_record, report_fault
from pipeline.processing.slices import AT_A_STRETCH
from pipeline.producing.outputs import Outputs
from pipeline.records.dead_letters import dead_letter
from pipeline.records.source_decoders import SourceDecoders
from pipeline.records.source_log import Fetched, SourceLog
from policy.catalogue.catalogue import Catalogue
from policy.source.decoding import Decoder, RegistryUnavailable
from policy.source.record import Mapped, Outcome, Refused, Skipped, SourceRecord
from policy.source.source import Source
from policy.source.usable import judged
from schemas.encoding import encode
from schemas.errors import BadRecord
from schemas.question import SourceState
from schemas.topics import DEAD_LETTERS
from schemas.vocabulary import Reason

NAME = "intake"
FLUSH_BYTES = 2 << 20
"""Of what records became, after which it is written before more of them are looked at."""
PAUSE = 1.0
"""Seconds after which what could not be done is tried again."""
STUCK_SECONDS = 10.0
"""The same where a source refuses too much of what it reads."""
log = logging.getLogger(__name__)


class SourceReading:
    """Reads the topics of one source, as the newest catalogue says, until it is stopped.

    Each record becomes one of its key's partition in the placed topic of whoever reads what it
    leads into, or a dead letter with the bytes as they were, or nothing. It is done once Kafka has
    that. `wanted` are the partitions that it is to read, set by whoever knows.

    Where a schema registry is away it waits. Where more than the setting's share of the last 200
    records are refused, the source is wrong, not they: it stops there, says so, and goes on with
    what the next catalogue says.
    """

    def __init__(
        self,
        name: str,
        catalogues: Catalogues,
        runtime: Runtime,
        decoders: SourceDecoders,
    ) -> None:
        self.name = name
        self.wanted = frozenset[TopicPartition]()
        self._catalogues = catalogues
        self._runtime = runtime
        self._decoders = decoders
        self._log = SourceLog(name, runtime.settings.brokers, runtime.clock)
        self._busy = asyncio.Lock()
        self._figures = SourceFigures(name)
        self._refusals = Refusals()
        self._judged_by: Catalogue | None = None
        self._by: _Means | None = None
        self._sending: _Sending | None = None
        self._waits_until = 0.0
        self._waits_with = ""
        self._told = ""

    async def begin(self) -> None:
        """Connect; raises KafkaError."""
        await self._log.start()

    async def partitions(self) -> Mapping[str, frozenset[int]]:
        """All topics of the cluster with their partitions; raises KafkaError."""
        return await self._log.partitions()

    async def run(self) -> None:
        """Work until cancelled; raises what ends a process, such as Unavailable."""
        try:
            while True:
                await self._turn()
        finally:
            if self._sending is not None:
                # What of it gets through comes again, and is known where it arrives.
                self._sending.flushed.cancel()
                await asyncio.gather(self._sending.flushed, return_exceptions=True)
            await self._log.stop()
            metrics.SOURCE_LAG.labels(self.name).set(0)
            metrics.SOURCE_WAITING.labels(self.name).set(0)

    async def settle(self) -> None:
        """Finish what is in hand, commit it, and read no more than is wanted by now."""
        async with self._busy:
            await self._follow()

    async def _turn(self) -> None:
        try:
            async with self._busy:
                await self._follow()
            if self.waits:
                await asyncio.sleep(PAUSE / 4)
                return
            fetched = await self._log.fetch()
            async with self._busy:
                await self._take(fetched)
                if not fetched or self.waits:
                    await self._land()
                if not fetched:
                    await self._log.pass_over()
                await self._log.commit()
            metrics.SOURCE_LAG.labels(self.name).set(self._log.lag())
            if not self._log.follows_any:
                await asyncio.sleep(PAUSE / 4)
        except KafkaError as error:
            await self._wait(f"can't read on: {error!r}")

    async def _follow(self) -> None:
        source = self._source()
        if source is not None:
            if self.wanted != self._log.followed:
                await self._land()
            await self._log.follow(self.wanted, begins_now=source.begins_now)

    def _source(self) -> Source | None:
        return self._catalogues.current.sources.get(self.name)

    def state(self) -> SourceState:
        """How far it is, for who looks at it."""
        return self._figures.state(self._log.lag(), self._told if self.waits else "")

    @property
    def waits(self) -> bool:
        """Whether it reads nothing for now, as its records can't be used as they are."""
        is_same = self._catalogues.current.version == self._waits_with
        return is_same and time.monotonic() < self._waits_until

    def _wait_for(self, seconds: float) -> None:
        """Read nothing for so long, or until there is another catalogue."""
        self._waits_until = time.monotonic() + seconds
        self._waits_with = self._catalogues.current.version
        metrics.SOURCE_WAITING.labels(self.name).set(1)

    async def _wait(self, why: str) -> None:
        self._say(why)
        await asyncio.sleep(PAUSE)

    def _say(self, why: str) -> None:
        if why != self._told:
            self._told = why
            log.warning("The source %s %s", self.name, why)

    async def _take(self, fetched: Iterable[Fetched]) -> None:
        """Have what comes of these records written, in their order, as far as that can be done now.

        The last of them are on their way when this returns, so that the next can be fetched and
        mapped meanwhile; `_land` waits for them.
        """
        taking = _Taking(self._runtime, self.name)
        for tp, since, records in fetched:
            # Others may have had their turn since they were fetched, and have let go of it.
            if self._log.follows(tp):
                await self._take_of(tp, since, records, taking)
        await self._send(taking)

    async def _take_of(
        self, tp: TopicPartition, since: int, records: list[ConsumerRecord], taking: "_Taking"
    ) -> None:
        for number, record in enumerate(records, 1):
            if number % AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            said = as_source_record(record, taking.now)
            outcome = await self._outcome(record, said)
            if outcome is None or self._is_too_much(said, outcome):
                await self._send(taking)
                await self._land()
                self._log.go_back(tp)
                return
            taking.add(tp, record, said, outcome, since)
            if taking.outputs.size >= FLUSH_BYTES:
                await self._send(taking)

    async def _send(self, taking: "_Taking") -> None:
        """Begin to write what came of records, once all before it is written."""
        await self._land()
        if not taking.has_any:
            return
        outputs, counts, ends = taking.cut()
        self._sending = _Sending(asyncio.create_task(outputs.flush()), counts, ends)

    async def _land(self) -> None:
        """Wait until Kafka has what is on its way, and note it as done; raises Unavailable."""
        if self._sending is None:
            return
        await self._sending.flushed
        sent, self._sending = self._sending, None
        self._figures.count(sent.counts)
        for tp, offset in sent.ends.items():
            self._log.note(tp, offset)
        if sent.ends and not self.waits:
            self._told = ""
            metrics.SOURCE_WAITING.labels(self.name).set(0)

    def _means(self) -> "_Means | None":
        """By what records are mapped now; None where the source is gone."""
        catalogue = self._catalogues.current
        if self._by is None or self._by.catalogue is not catalogue:
            source = catalogue.sources.get(self.name)
            if source is None:
                return None
            of_values, of_keys = self._decoders.of(source), self._decoders.key_of(source)
            self._by = _Means(catalogue, source, of_values, of_keys)
        return self._by

    async def _outcome(self, record: ConsumerRecord, said: SourceRecord) -> Outcome | None:
        """What comes of a record; None where that can't be known now."""
        if isinstance(record.value, Unread):
            most = f"over {decompression.MOST_BYTES} bytes when it is unpacked"
            return Refused(Reason.TOO_LARGE, f"{record.value.which} are one batch of {most}")
        found: Outcome | None = None
        for attempt in range(2):
            by = self._means()
            if by is None:
                return None
            try:
                outcome = await by.source.outcome(said, by.of_values, by.of_keys)
            except RegistryUnavailable as error:
                self._say(f"waits: {error}")
                self._wait_for(PAUSE)
                return None
            except Exception as error:
                if not is_of_record(error):
                    raise
                where = f"partition {record.partition}, offset {record.offset}"
                fault = report_fault(record.topic, where, error)
                return Refused(fault.reason, fault.detail)
            found = judged(outcome, by.catalogue)
            if found is outcome:
                return found
            if attempt == 0:
                # Its type may be so new that we have not looked at the files since.
                await self._catalogues.refresh()
        return found

    def _is_too_much(self, record: SourceRecord, outcome: Outcome) -> bool:
        """Note what came of it; whether too much of the last was refused to go on."""
        if self._judged_by is not (catalogue := self._catalogues.current):
            self._refusals.clear()
            self._judged_by = catalogue
        if not isinstance(outcome, Refused):
            self._refusals.pass_one()
            return False
        place = f"{record.topic}/{record.partition}/{record.offset}"
        self._figures.refuse(place, outcome.detail, self._runtime.clock.now())
        bad = self._refusals.note((record.topic, record.partition, record.offset))
        if bad <= self._runtime.settings.bad_share * WINDOW:
            return False
        self._wait_for(STUCK_SECONDS)
        self._say(
            f"refuses {bad} of the last {WINDOW} records, the latest, {record.topic}-"
            f"{record.partition} at {record.offset}, for: {outcome.detail}. It reads no further: "
            "mend it in the catalogue, or raise TOCSIN_BAD_SHARE to let them pass."
        )
        return True


class _Means(NamedTuple):
    """By what the records of a source are read and mapped, as one catalogue says."""

    catalogue: Catalogue
    source: Source
    of_values: Decoder
    of_keys: Decoder | None


class _Sending(NamedTuple):
    """What is on its way to Kafka, and what is to be counted and noted once it is there."""

    flushed: asyncio.Task[Any]
    counts: Mapping[str, int]
    ends: Mapping[TopicPartition, int]


def as_source_record(record: ConsumerRecord, now: int) -> SourceRecord:
    """A record as Kafka's client gives it, read at `now` (epoch ms)."""
    return SourceRecord(
        value=record.value,
        timestamp=written_at(record, now),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        headers=headers_of(record),
    )


class _Taking:
    """What comes of the records that were fetched together, and how far their partitions are done
    with it."""

    def __init__(self, runtime: Runtime, source: str) -> None:
        self.outputs: Outputs = runtime.outputs()
        self._counts = Counter[str]()
        self._ends: dict[TopicPartition, int] = {}
        self._runtime = runtime
        self._source = source
        self._partitions = runtime.settings.partitions
        self.now = runtime.clock.now()

    @property
    def has_any(self) -> bool:
        """Whether anything was added since it was last cut."""
        return bool(self._ends)

    def cut(self) -> tuple[Outputs, Mapping[str, int], Mapping[TopicPartition, int]]:
        """What was added since this was last asked: the outputs, how many records came to what, and
        behind which offset each partition is then."""
        added = self.outputs, self._counts, self._ends
        self.outputs, self._counts, self._ends = self._runtime.outputs(), Counter(), {}
        return added

    def add(
        self,
        tp: TopicPartition,
        record: ConsumerRecord,
        said: SourceRecord,
        outcome: Outcome,
        since: int,
    ) -> None:
        """Have the outputs say what came of the record, of a partition that is read `since`."""
        self._ends[tp] = record.offset + 1
        match outcome:
            case Mapped():
                what = "moved"
                self._place(record, said, outcome, since)
            case Skipped():
                what = "skipped"
            case Refused(reason=reason, detail=detail):
                what = "dead"
                error = BadRecord(reason, detail)
                letter = dead_letter(NAME, record, error, self.now, source=self._source)
                number = record.partition % self._partitions
                self.outputs.add(DEAD_LETTERS, number, letter.key, encode(letter))
        self._counts[what] += 1

    def _place(
        self, record: ConsumerRecord, said: SourceRecord, mapped: Mapped, since: int
    ) -> None:
        add_placed(
            self.outputs, record, said, mapped, source=self._source, since=since, now=self.now,
            partitions=self._partitions,
        )  # fmt: skip
