"""A company's own topics, as one source reads them: where it stands in each partition.

The group that keeps it has no members: whoever holds a partition of `misplaced` reads those
partitions of sources that fall to it, and the lease of that says for how long.
"""

import logging
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata

from pipeline.clock import Clock
from pipeline.kafka.brokers import Kafka, brokers_of
from pipeline.kafka.clients import new_consumer
from pipeline.monitoring import metrics
from schemas.topics import MISPLACED, group_of

RECORDS = 2000
FETCH_MS = 200
FETCH_BYTES = 4 << 20
"""Of one answer of a broker; a larger record comes alone."""
COMMIT_SECONDS = 0.5
Fetched = tuple[TopicPartition, int, list[ConsumerRecord]]
"""Records of a partition, and since when (epoch ms) it is read."""
KEPT_SECONDS = 3600.0
"""After which a place is committed though nothing came: Kafka forgets it after some days."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Place:
    next: int
    since: int
    committed: int = -1
    committed_at: float = 0.0
    fetched: int = 0


class SourceLog:
    """Reads what it is told to follow, and keeps in Kafka how far `note` says that all is done.

    Of each partition the records come in order and none is left out; after a crash they come again
    from the last commit. KafkaError may be raised by everything here, and changes nothing.
    """

    def __init__(self, source: str, kafka: Kafka, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._places: dict[TopicPartition, _Place] = {}
        self._began = 0
        brokers = brokers_of(kafka)
        # Companies' topics have no prefix of ours, so that this client adds none; the group has it.
        # Under it the group keeps since when there is the source: no source reads that topic.
        self._since = TopicPartition(brokers.prefix + MISPLACED.name, 0)
        self._consumer = new_consumer(
            brokers.unprefixed,
            group_id=brokers.prefix + group_of(f"source-{source}"),
            auto_offset_reset="none",
            fetch_max_bytes=FETCH_BYTES,
            max_poll_records=RECORDS,
        )

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Let go; what is not committed comes again."""
        await self._consumer.stop()

    async def partitions(self) -> Mapping[str, frozenset[int]]:
        """All topics of the cluster that we may see, by name, with their partitions."""
        cluster = await self._consumer._client.fetch_all_metadata()  # noqa: SLF001
        return {
            topic: frozenset(cluster.partitions_for_topic(topic) or ())
            for topic in cluster.topics()
        }

    async def follow(self, wanted: frozenset[TopicPartition], *, begins_now: bool) -> None:
        """Read these and no others; one that is new to the source from its end, or its start.

        What is there since the first call counts as written since there is the source.
        """
        if not self._began:
            await self._begin()
        if wanted == self._places.keys():
            return
        await self.commit(always=True)
        new = wanted - self._places.keys()
        found = await self._find(new, begins_now=begins_now) if new else {}
        # Before anything is read: since when it is read tells repeats after a crash.
        await self._keep(found)
        kept = {tp: place for tp, place in self._places.items() if tp in wanted}
        self._places = kept | found
        self._assign()

    async def _begin(self) -> None:
        """Learn since when there is the source; if nobody has kept it, that is now."""
        committed = await self._consumer._coordinator.fetch_committed_offsets(  # noqa: SLF001
            [self._since]
        )
        kept = committed[self._since].metadata if self._since in committed else ""
        self._began = _number(kept) or self._clock.now()
        if not kept:
            await self._commit({})

    async def fetch(self) -> Sequence[Fetched]:
        """What came, by partition, with since when it is read; soon nothing, where nothing came."""
        if not self._places:
            return []
        try:
            fetched: Mapping[Any, list[ConsumerRecord]] = await self._consumer.getmany(
                timeout_ms=FETCH_MS
            )
        except OffsetOutOfRangeError as error:
            await self._look_into(set(error.args[0]))
            return []
        found = []
        for tp, records in fetched.items():
            place = self._places.get(tp)
            if place is not None and (
                left := [each for each in records if each.offset >= place.next]
            ):
                place.fetched = left[-1].offset + 1
                found.append((tp, place.since, left))
        return found

    @property
    def followed(self) -> Set[TopicPartition]:
        """What it reads."""
        return self._places.keys()

    @property
    def follows_any(self) -> bool:
        """Whether there is anything that it reads."""
        return bool(self._places)

    def follows(self, tp: TopicPartition) -> bool:
        """Whether it still reads this partition."""
        return tp in self._places

    def note(self, tp: TopicPartition, offset: int) -> None:
        """All before this offset is done, for good."""
        self._places[tp].next = offset

    async def pass_over(self) -> None:
        """Count as done what is no record behind the last one: the markers with which transactions
        end, and what was aborted. Else that would seem to wait for ever."""
        for tp, place in self._places.items():
            if place.fetched <= place.next:
                # Of what the client holds ready it has told nothing, and stands before that.
                place.next = max(place.next, await self._consumer.position(tp))

    def go_back(self, tp: TopicPartition) -> None:
        """Have what is not done come again."""
        place = self._places[tp]
        place.fetched = place.next
        self._consumer.seek(tp, place.next)

    def lag(self) -> int:
        """Records before it, as far as the last answers of the brokers tell."""
        ends = {tp: self._consumer.highwater(tp) for tp in self._places}
        return sum(max(0, (ends[tp] or 0) - place.next) for tp, place in self._places.items())

    async def commit(self, *, always: bool = False) -> None:
        """Have Kafka keep how far it is, if that has moved and the last commit is a while ago."""
        now = time.monotonic()
        due = {
            tp: place
            for tp, place in self._places.items()
            if _is_due(place, now, 0.0 if always else COMMIT_SECONDS)
        }
        await self._keep(due)

    async def _keep(self, places: Mapping[TopicPartition, _Place]) -> None:
        if not places:
            return
        done = {tp: place.next for tp, place in places.items()}
        await self._commit(
            {tp: OffsetAndMetadata(done[tp], str(place.since)) for tp, place in places.items()}
        )
        for tp, place in places.items():
            place.committed, place.committed_at = done[tp], time.monotonic()

    async def _commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        began = OffsetAndMetadata(0, str(self._began))
        told = {**offsets, self._since: began}
        await self._consumer._coordinator.commit_offsets(None, told)  # noqa: SLF001

    def _assign(self) -> None:
        self._consumer.assign(list(self._places))
        for tp, place in self._places.items():
            place.fetched = place.next
            self._consumer.seek(tp, place.next)

    async def _look_into(self, tps: set[TopicPartition]) -> None:
        """Go on where retention has passed us, or a topic was made anew."""
        known = tps & self._places.keys()
        starts = await self._consumer.beginning_offsets(known)
        ends = await self._consumer.end_offsets(known)
        for tp in known:
            place = self._places[tp]
            self._places[tp] = self._checked(tp, place, starts[tp], ends[tp])
            self._consumer.seek(tp, self._places[tp].next)

    async def _find(
        self, new: frozenset[TopicPartition], *, begins_now: bool
    ) -> dict[TopicPartition, _Place]:
        committed = await self._consumer._coordinator.fetch_committed_offsets(  # noqa: SLF001
            list(new)
        )
        known = {tp: each for tp, each in committed.items() if each.offset >= 0}
        now = self._clock.now()
        starts = await self._consumer.beginning_offsets(new)
        ends = await self._consumer.end_offsets(new)
        times: Mapping[TopicPartition, Any] = {}
        if begins_now and (unknown := new - known.keys()):
            # What came since there is the source counts, also in a partition that came later.
            times = await self._consumer.offsets_for_times(dict.fromkeys(unknown, self._began))
        found = {}
        for tp in new:
            if tp in known:
                place = _Place(known[tp].offset, _number(known[tp].metadata))
                found[tp] = self._checked(tp, place, starts[tp], ends[tp])
            elif begins_now:
                first = times.get(tp)
                found[tp] = _Place(ends[tp] if first is None else first.offset, now)
            else:
                found[tp] = _Place(starts[tp], now)
        return found

    def _checked(self, tp: TopicPartition, place: _Place, start: int, end: int) -> _Place:
        if place.next > end:
            log.warning(
                "%s ends before what the source %s has read of it: it was made anew, and is read "
                "from its start.",
                tp,
                self._source,
            )
            return _Place(start, self._clock.now())
        if place.next < start:
            lost = start - place.next
            metrics.RETENTION_PASSED.labels("intake", tp.topic).inc(lost)
            log.warning(
                "%s: %d records were deleted before the source %s had read them; it goes on at %d.",
                tp,
                lost,
                self._source,
                start,
            )
            place.next = start
        return place


def _is_due(place: _Place, now: float, after: float) -> bool:
    age = now - place.committed_at
    return age >= KEPT_SECONDS or (place.next != place.committed and age >= after)


def _number(metadata: str) -> int:
    return int(metadata) if metadata.isdigit() else 0
