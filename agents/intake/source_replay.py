"""Records that a source has read long ago, through today's mapping and on their way again."""

from collections import Counter
from collections.abc import AsyncIterable

from aiokafka import ConsumerRecord
from msgspec import Struct

from agents.intake.placed import add_placed
from agents.intake.source_reading import FLUSH_BYTES, as_source_record
from agents.intake.source_trial import DEAD, MOVED, SKIPPED
from pipeline.kafka.decompression import Unread
from pipeline.producing.outputs import Log, Outputs
from pipeline.records.source_decoders import SourceDecoders
from policy.catalogue.catalogue import Catalogue
from policy.source.record import Mapped, Skipped
from policy.source.source import Source
from policy.source.usable import judged

MOST_CAUSES = 20
"""Different reasons that are counted apart."""


class Replayed(Struct, kw_only=True):
    """How many records were read, what came of them, and why nothing came of some."""

    read: int = 0
    moved: int = 0
    skipped: int = 0
    dead: int = 0
    causes: dict[str, int] = {}


async def replay(
    source: Source,
    records: AsyncIterable[ConsumerRecord],
    catalogue: Catalogue,
    decoders: SourceDecoders,
    log: Log | None,
    *,
    now: int,
    partitions: int,
    replayed: Replayed,
) -> None:
    """Write to the placed topics what the source makes of these records; without a log, nothing.

    They count as accepted when Kafka took them first, so what is newer stays, and what was decided
    before is decided no more: an event of a known id is a duplicate, or a conflict where today's
    mapping says something else. What can't be used is counted and becomes no dead letter.
    `replayed` says at any time how far it is, also after RegistryUnavailable or Unavailable.
    """
    outputs = None if log is None else Outputs(log)
    counts, causes = Counter[str](), Counter[str]()

    async def flush() -> None:
        if outputs is not None:
            await outputs.flush()
            outputs.size = 0
        replayed.read = counts.total()
        replayed.moved, replayed.skipped = counts[MOVED], counts[SKIPPED]
        replayed.dead, replayed.causes = counts[DEAD], dict(causes.most_common(MOST_CAUSES))

    async for record in records:
        what, why = MOVED, ""
        if isinstance(record.value, Unread):
            what, why = DEAD, "its batch is too large to be unpacked"
        else:
            said = as_source_record(record, now)
            outcome = await source.outcome(said, decoders.of(source), decoders.key_of(source))
            outcome = judged(outcome, catalogue)
            if isinstance(outcome, Skipped):
                what, why = SKIPPED, outcome.why
            elif not isinstance(outcome, Mapped):
                what, why = DEAD, f"{outcome.reason}: {outcome.detail}"
            elif outputs is not None:
                # Another run than the reading that there is, whose repeats it is none of.
                add_placed(
                    outputs, record, said, outcome, source=source.name, since=now, now=now,
                    partitions=partitions,
                )  # fmt: skip
        counts[what] += 1
        if why and (why in causes or len(causes) < MOST_CAUSES):
            causes[why] += 1
        if outputs is not None and outputs.size >= FLUSH_BYTES:
            await flush()
    await flush()
