"""The event that a source makes of a company's own record, for whoever asks what becomes of it."""

from agents.intake.source_reading import as_source_record
from cli.time_parameter import now
from pipeline.kafka.topic_reading import read_record
from pipeline.records.source_decoders import SourceDecoders
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from policy.source.decoding import RegistryUnavailable
from policy.source.record import Mapped, Outcome, Refused, Skipped, SourceRecord
from policy.source.source import Source
from schemas.errors import BadRecord, Unavailable, WrongUsage
from schemas.event import Event


async def event_of(
    settings: Settings, catalogue: Catalogue, place: str, name: str | None
) -> tuple[Event, str]:
    """The event, and its origin in words.

    Raises WrongUsage for a place that is none, or of which a source makes no event, BadRecord for
    a record that it refuses, and Unavailable.
    """
    topic, partition, offset = _place(place)
    source = _source(catalogue, topic, name)
    record = await read_record(settings.brokers.unprefixed, topic, partition, offset)
    if record is None:
        raise WrongUsage(f"There is no record at {place}.")
    origin = f"{place} by the source {source.name}"
    match await _outcome(settings, source, as_source_record(record, now())):
        case Mapped(value=Event() as event):
            return event, origin
        case Mapped(into=into):
            raise WrongUsage(f"{origin} is no event: it goes into {into}.")
        case Skipped(why=why):
            raise WrongUsage(f"Nothing comes of {origin}: it is skipped, {why}.")
        case Refused(reason=reason, detail=detail):
            raise BadRecord(reason, f"{origin}: {detail}")


async def _outcome(settings: Settings, source: Source, record: SourceRecord) -> Outcome:
    decoders = SourceDecoders(settings)
    try:
        return await source.outcome(record, decoders.of(source), decoders.key_of(source))
    except RegistryUnavailable as error:
        raise Unavailable(str(error)) from error
    finally:
        await decoders.close()


def _place(place: str) -> tuple[str, int, int]:
    parts = place.split("/")
    if len(parts) != 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        raise WrongUsage(f"{place!r} is no place of a record; say TOPIC/PARTITION/OFFSET.")
    return parts[0], int(parts[1]), int(parts[2])


def _source(catalogue: Catalogue, topic: str, name: str | None) -> Source:
    found = {each.name: each for each in catalogue.sources.values() if each.reads(topic)}
    if name is not None and name in found:
        return found[name]
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    known = ", ".join(sorted(found)) or "none"
    raise WrongUsage(f"Say by --source which source reads {topic}: it is one of {known}.")
