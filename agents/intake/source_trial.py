"""What records that are there would become by a source; nothing is written."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from aiokafka import ConsumerRecord
from msgspec import Struct, to_builtins

from agents.intake.source_reading import as_source_record
from pipeline.records.source_decoders import SourceDecoders
from policy.catalogue.catalogue import Catalogue
from policy.source.record import Mapped, Refused, Skipped
from policy.source.source import Source
from policy.source.usable import judged
from schemas.event import Event

MOVED, SKIPPED, DEAD = "moved", "skipped", "dead"


class Tried(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record, and what would come of it.

    A `moved` one has the `value` that it would be; of another it is said `why` not. Where its `id`
    is that of another record it `repeats` it, and counts as the same event.
    """

    topic: str
    partition: int
    offset: int
    outcome: str
    into: str = ""
    value: Any = None
    why: str = ""
    repeats: bool = False


async def tried(
    source: Source,
    records: Iterable[ConsumerRecord],
    catalogue: Catalogue,
    decoders: SourceDecoders,
    now: int,
) -> list[Tried]:
    """Each of these records, in their order, with what the source makes of it at `now`.

    Raises RegistryUnavailable.
    """
    found, ids = [], Counter[str]()
    for record in records:
        said = as_source_record(record, now)
        outcome = await source.outcome(said, decoders.of(source), decoders.key_of(source))
        if isinstance(outcome, Mapped) and isinstance(outcome.value, Event):
            ids[outcome.value.id] += 1
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        match judged(outcome, catalogue):
            case Mapped(value=value, into=into):
                is_again = isinstance(value, Event) and ids[value.id] > 1
                shown = to_builtins(value)
                found.append(
                    Tried(**place, outcome=MOVED, into=into, value=shown, repeats=is_again)
                )
            case Skipped(why=why):
                found.append(Tried(**place, outcome=SKIPPED, why=why))
            case Refused(reason=reason, detail=detail):
                found.append(Tried(**place, outcome=DEAD, why=f"{reason}: {detail}"))
    return found
