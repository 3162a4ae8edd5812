"""What the role `intake` does with the records of one source."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Mapping

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from pipeline.catalogue_folder import Catalogues
from pipeline.kafka import decompression
from pipeline.kafka.decompression import Unread
from pipeline.monitoring import metrics
from pipeline.process.runtime import Runtime
from pipeline.processing.misplaced import headers_of, moved
from pipeline.processing.record_faults import is_of_record, report_fault
from pipeline.processing.slices import AT_A_STRETCH
from pipeline.producing.outputs import Outputs, partition_of
from pipeline.records.dead_letters import dead_letter
from pipeline.records.source_decoders import SourceDecoders
from pipeline.records.source_log import SourceLog
from policy.source.decoding import RegistryUnavailable
from policy.source.record import Mapped, Outcome, Refused, Skipped, SourceRecord
from policy.source.source import Source
from policy.source.unknown_type import unknown_type
from schemas.encoding import encode
from schemas.errors import BadRecord
from schemas.topics import DEAD_LETTERS, INTO, PLACED
from schemas.vocabulary import Reason

NAME = "intake"
WINDOW = 200
"""Records of a source over which the share of refused ones is taken."""
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
        self._recent: dict[tuple[str, int, int], bool] = {}
        self._judged = ""
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
            for tp, since, records in fetched:
                async with self._busy:
                    if self._log.follows(tp):
                        await self._take(tp, since, records)
            async with self._busy:
                await self._log.commit()
            metrics.SOURCE_LAG.labels(self.name).set(self._log.lag())
            if not self._log.follows_any:
                await asyncio.sleep(PAUSE / 4)
        except KafkaError as error:
            await self._wait(f"can't read on: {error!r}")

    async def _follow(self) -> None:
        source = self._source()
        if source is not None:
            await self._log.follow(self.wanted, begins_now=source.begins_now)

    def _source(self) -> Source | None:
        return self._catalogues.current.sources.get(self.name)

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

    async def _take(self, tp: TopicPartition, since: int, records: list[ConsumerRecord]) -> None:
        """Write what comes of these records, in their order, as far as that can be done now."""
        taking = _Taking(self._runtime, self.name, since)
        for number, record in enumerate(records, 1):
            if number % AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            outcome = await self._outcome(record, taking.now)
            if outcome is None or self._is_too_much(record, outcome):
                await self._finish(tp, taking)
                self._log.go_back(tp)
                return
            taking.add(record, outcome)
            if taking.outputs.size >= FLUSH_BYTES:
                await self._finish(tp, taking)
        await self._finish(tp, taking)

    async def _finish(self, tp: TopicPartition, taking: "_Taking") -> None:
        await taking.outputs.flush()
        for what, count in taking.counts.items():
            metrics.SOURCE_RECORDS.labels(self.name, what).inc(count)
        taking.counts.clear()
        if taking.next:
            self._log.note(tp, taking.next)
        if taking.next and not self.waits:
            self._told = ""
            metrics.SOURCE_WAITING.labels(self.name).set(0)

    async def _outcome(self, record: ConsumerRecord, now: int) -> Outcome | None:
        """What comes of a record; None where that can't be known now."""
        if isinstance(record.value, Unread):
            most = f"over {decompression.MOST_BYTES} bytes when it is unpacked"
            return Refused(Reason.TOO_LARGE, f"{record.value.which} are one batch of {most}")
        said = as_source_record(record, now)
        unknown = None
        for attempt in range(2):
            catalogue, source = self._catalogues.current, self._source()
            if source is None:
                return None
            try:
                value, key = self._decoders.of(source), self._decoders.key_of(source)
                outcome = await source.outcome(said, value, key)
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
            if (unknown := unknown_type(outcome, catalogue)) is None:
                return outcome
            if attempt == 0:
                # Its type may be so new that we have not looked at the files since.
                await self._catalogues.refresh()
        return Refused(Reason.UNKNOWN_TYPE, f"no notification type for {unknown!r}")

    def _is_too_much(self, record: ConsumerRecord, outcome: Outcome) -> bool:
        """Note what came of it; whether too much of the last was refused to go on."""
        if self._judged != (version := self._catalogues.current.version):
            self._recent.clear()
            self._judged = version
        # By place: what is read again counts once.
        place = record.topic, record.partition, record.offset
        self._recent[place] = isinstance(outcome, Refused)
        if len(self._recent) > WINDOW:
            del self._recent[next(iter(self._recent))]
        if not isinstance(outcome, Refused) or len(self._recent) < WINDOW:
            return False
        bad, share = sum(self._recent.values()), self._runtime.settings.bad_share
        if bad <= share * WINDOW:
            return False
        self._wait_for(STUCK_SECONDS)
        self._say(
            f"refuses {bad} of the last {WINDOW} records, the latest, {place[0]}-{place[1]} at "
            f"{place[2]}, for: {outcome.detail}. It reads no further: mend it in the catalogue, or "
            "raise TOCSIN_BAD_SHARE to let them pass."
        )
        return True


def as_source_record(record: ConsumerRecord, now: int) -> SourceRecord:
    """A record as Kafka's client gives it, read at `now` (epoch ms)."""
    return SourceRecord(
        value=record.value,
        timestamp=record.timestamp if record.timestamp > 0 else now,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        headers=headers_of(record),
    )


def _accepted_at(record: ConsumerRecord, now: int) -> int:
    """When Kafka took it; by the producer's clock where the topic goes by that, but never later
    than now: what is ahead would be the newest for as long."""
    return min(record.timestamp, now) if record.timestamp > 0 else now


class _Taking:
    """What comes of consecutive records of one partition, and how far they are done with it."""

    def __init__(self, runtime: Runtime, source: str, since: int) -> None:
        self.outputs: Outputs = runtime.outputs()
        self.next = 0
        self.counts = Counter[str]()
        self._source = source
        self._since = since
        self._partitions = runtime.settings.partitions
        self.now = runtime.clock.now()

    def add(self, record: ConsumerRecord, outcome: Outcome) -> None:
        """Have the outputs say what came of the record."""
        self.next = record.offset + 1
        match outcome:
            case Skipped():
                what = "skipped"
            case Refused(reason=reason, detail=detail):
                what = "dead"
                error = BadRecord(reason, detail)
                letter = dead_letter(NAME, record, error, self.now, source=self._source)
                number = record.partition % self._partitions
                self.outputs.add(DEAD_LETTERS, number, letter.key, encode(letter))
            case Mapped():
                what = "moved"
                self._place(record, outcome)
        self.counts[what] += 1

    def _place(self, record: ConsumerRecord, mapped: Mapped) -> None:
        placed = replace(
            moved(record, encode(mapped.value), _accepted_at(record, self.now)),
            source=self._source,
            into=mapped.into,
            since=self._since,
        )
        number = partition_of(mapped.key, self._partitions)
        topic = PLACED[INTO[mapped.into].read_by]
        self.outputs.add(topic, number, mapped.key.encode(), encode(placed))
