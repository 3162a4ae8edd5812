"""Intake: brings records from where their producer put them to their key's place.

Router and decider hand over what stands in another partition than its key's; what companies write
to topics of their own, sources of the catalogue read (agents.intake.sources). The other way round,
their services are told what became of notifications, where the settings say so. What is done here
keeps nothing: a repeat after a crash is known by its origin where it arrives (tables.moved), or by
the id that it has (schemas.outcome).
"""

import asyncio
import logging
from collections.abc import Mapping

import msgspec

from agents.intake.outcomes import add_outcome
from agents.intake.sources import Sources
from agents.state import Stateless
from pipeline.catalogue_folder import Catalogues
from pipeline.kafka.partitioners import partitioner_of
from pipeline.monitoring import metrics
from pipeline.process.runtime import Runtime
from pipeline.processing.frontiers import Stored
from pipeline.processing.misplaced import MovedRecord, stood
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice
from pipeline.producing.outputs import partition_of
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import UNDECODABLE, encode
from schemas.errors import BadRecord
from schemas.misplaced import Misplaced
from schemas.question import ReadSources
from schemas.topics import DELIVERY_EVENTS, MISPLACED, PLACED, READ_IF_SET, TOPICS, Topic
from schemas.vocabulary import Reason

NAME = "intake"
SOURCES: Mapping[str, Topic] = {
    topic.name: topic for topic in TOPICS if topic.is_public and topic.read_by in PLACED
}
"""The topics of which records are placed."""
_KEYED = {
    name: msgspec.json.Decoder(msgspec.defstruct("Keyed", [(topic.key, str)]))
    for name, topic in SOURCES.items()
}
"""Reads nothing of a value but its key."""
_decode_question = msgspec.json.Decoder(ReadSources).decode

log = logging.getLogger(__name__)


def intake(catalogues: Catalogues, runtime: Runtime) -> Role:
    """The role `intake`."""

    reported: set[str] = set()
    sources = Sources(catalogues, runtime)

    def open_handler(number: int, closing: asyncio.Event) -> Placing:
        return Placing(runtime, reported, sources, number)

    # No role depends less on what else is there: in analytics it would wait for ClickHouse.
    told = READ_IF_SET[NAME] if runtime.settings.outcomes else ()
    topics = MISPLACED.name, *(topic.name for topic in told)
    return Role(
        name=NAME, topics=topics, open_handler=open_handler, lane_per_topic=True, answers=True
    )


class Placing(Stateless):
    """The misplaced records of one partition, in their order.

    Of each topic that is not among those `reported` the log is told once. While it is open, the
    part of the `sources` that falls to its number is read. Delivery events become outcomes.
    """

    def __init__(self, runtime: Runtime, reported: set[str], sources: Sources, number: int) -> None:
        super().__init__(runtime, NAME, {MISPLACED: Misplaced, DELIVERY_EVENTS: DeliveryEvent})
        self._partitions = runtime.settings.partitions
        self._reported = reported
        self._sources = sources
        self._number = number

    async def restore(self) -> Stored:
        """Begin with the sources; there is nothing to restore."""
        self._sources.hold(self._number)
        return await super().restore()

    async def answer(self, question: bytes) -> bytes:
        """See schemas.question: of all sources that the process reads."""
        _decode_question(question)
        return encode(self._sources.states())

    async def note_sent(self, after: float) -> None:
        """Nothing is noted; raises what ended the reading of a source."""
        self._sources.check()

    async def close(self) -> None:
        """Finish what is in hand of the sources."""
        await self._sources.release(self._number)

    async def handle(self, slice_: Slice) -> None:
        """Write each record to its key's partition, as it is; or the outcomes that there are."""
        outputs = self._runtime.outputs()
        if slice_.partition.topic == DELIVERY_EVENTS.name:
            prefix = self._runtime.settings.prefix
            for event in self._intake.read_lines(slice_, outputs):
                add_outcome(outputs, event, prefix, self._partitions)
            await outputs.flush()
            return
        for record, misplaced in self._intake.read(slice_, outputs):
            try:
                source = stood(misplaced, SOURCES, self._partitions)
                key = _key_of(source)
            except BadRecord as error:
                self._intake.set_aside(record, error, outputs)
                continue
            place = partition_of(key, self._partitions)
            topic = PLACED[SOURCES[source.topic].read_by]
            outputs.add(topic, place, key.encode(), record.value)
            self._count(source)
        await outputs.flush()

    def _count(self, source: MovedRecord) -> None:
        how = partitioner_of(source.key, source.partition, self._partitions)
        metrics.MOVED.labels(source.topic, how).inc()
        if source.topic not in self._reported:
            self._reported.add(source.topic)
            log.warning(
                "%s: a producer has another partitioner than Kafka's Java client (murmur2). Its "
                "records are moved to their key's partition, which costs them a hop; "
                "tocsin_moved_records says how many, and which partitioner it looks like.",
                source.topic,
            )


def _key_of(source: MovedRecord) -> str:
    """The key that the value says; raises BadRecord."""
    try:
        keyed = _KEYED[source.topic].decode(source.value or b"")
    except UNDECODABLE as error:
        raise BadRecord(Reason.UNDECODABLE, str(error)) from None
    return str(getattr(keyed, SOURCES[source.topic].key))
