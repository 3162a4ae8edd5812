"""`tocsin sources`: a company's own topics, checked, tried out, drafted and replayed."""

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click
import msgspec
from aiokafka import TopicPartition

from agents.intake.source_reading import as_source_record
from agents.intake.source_replay import Replayed, replay
from agents.intake.source_trial import DEAD, MOVED, Tried, tried
from cli.audit import put_on_record
from cli.lazy_group import Group
from cli.lines import Row, aligned, print_json, print_lines
from cli.settings import read_settings
from cli.time_parameter import MOMENT, now
from pipeline.admin.source_lag import SourceLag, source_lags
from pipeline.catalogue_folder import read_catalogue
from pipeline.kafka.topic_reading import (
    Spans,
    read_newest,
    read_spans,
    spans_between,
    topics_of_others,
)
from pipeline.producing.producer import start_producer
from pipeline.records.source_decoders import SourceDecoders
from pipeline.registry.client import registry_of
from pipeline.registry.samples import in_json, is_framed
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from policy.decision.rule_explanations import counted
from policy.source.decoding import RegistryUnavailable, Undecodable
from policy.source.inference import NothingToInfer, draft
from policy.source.record import SourceRecord
from policy.source.source import Source
from schemas.audit import Deed
from schemas.errors import BadCatalogue, Misconfigured, Unavailable, WrongUsage
from schemas.topics import is_ours

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_CATALOGUE = click.option(
    "--catalogue", "folder", type=_FOLDER, help="Another than TOCSIN_CATALOGUE."
)
_LAST = click.option("--last", type=click.IntRange(1, 100_000), default=1000, show_default=True)
SHOWN = 5
"""Records of each kind that are shown."""
_OFFSETS = re.compile(r"([^/]+)/(\d+)/(\d+)-(\d+)")
_encode = msgspec.json.Encoder().encode


@click.group(cls=Group)
def sources() -> None:
    """A company's own topics, as they are: check, try out and draft what reads them; replay."""


@sources.command()
@_CATALOGUE
@click.option("--offline", is_flag=True, help="Don't ask Kafka which topics there are.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folder: Path | None, offline: bool, as_json: bool) -> None:
    """Check the catalogue with the examples of its sources, and tell which topics each reads.

    Ends with 1 if anything is wrong.
    """
    settings = read_settings()
    try:
        found = read_catalogue(settings.catalogue if folder is None else folder)
    except BadCatalogue as error:
        if as_json:
            print_json({"problems": error.problems})
        for problem in () if as_json else error.problems:
            click.echo(problem, err=True)
        sys.exit(1)
    topics = {} if offline else asyncio.run(topics_of_others(settings.brokers))
    rows = [_described(source, topics) for source in found.sources.values()]
    if as_json:
        print_json({"sources": rows, "version": found.version, "problems": []})
        return
    if not rows:
        click.echo("The catalogue has no sources.")
    print_lines(aligned([Row(*_row(each, offline=offline)) for each in rows]) if rows else [])


@sources.command("try")
@click.argument("name")
@_CATALOGUE
@_LAST
@click.option("--json", "as_json", is_flag=True, help="One JSON object a record.")
def try_command(name: str, folder: Path | None, last: int, as_json: bool) -> None:
    """Show what the last records of a source's topics become, what is refused, and why.

    Nothing is written, and where the source stands is not changed.
    """
    settings = read_settings()
    catalogue = read_catalogue(settings.catalogue if folder is None else folder)
    source = _the(catalogue, name)
    asyncio.run(put_on_record(settings, "looked up", "sources try", thing=name))
    found = asyncio.run(_tried(settings, catalogue, source, last))
    if as_json:
        for each in found:
            print_json(each)
        return
    print_lines(_lines(found))


@sources.command("replay")
@click.argument("name")
@click.option("--from", "begin", type=MOMENT, help="RFC 3339, or 2h for 2 h ago.")
@click.option("--to", "end", type=MOMENT, default="now", show_default=True, help="Not included.")
@click.option("--offsets", help="Instead of times, TOPIC/PARTITION/FIRST-LAST.")
@click.option("--dry-run", is_flag=True, help="Write nothing; tell what would come of it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def replay_command(
    name: str, begin: int | None, end: int, offsets: str | None, dry_run: bool, as_json: bool
) -> None:
    """Map records of a source's topics again, by the catalogue as it is now, and have them count.

    They are those that Kafka took between two times, or that stand at the --offsets. Records count
    as taken when they first were: contacts and the like that are newer stay, and an event whose id
    was decided before notifies nobody again, as `duplicate`, or `conflict` where it now says
    something else. Where the source stands is not changed, and nothing becomes a dead letter.
    """
    if (begin is None) == (offsets is None):
        raise WrongUsage("Say which records: either --from or --offsets. Nothing was written.")
    settings = read_settings()
    catalogue = read_catalogue(settings.catalogue)
    source = _the(catalogue, name)
    done = Replayed()
    span = None if offsets is None else _span(source, offsets, settings.prefix)
    deed: Deed = "looked up" if dry_run else "replayed"
    asyncio.run(put_on_record(settings, deed, "sources replay", thing=name))
    asyncio.run(_replayed(settings, catalogue, source, span, (begin or 0, end), dry_run, done))
    if as_json:
        print_json({"source": name, "dry_run": dry_run, **msgspec.structs.asdict(done)})
        return
    print_lines(_replay_lines(done, dry_run))


@sources.command()
@click.argument("topic")
@_LAST
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def infer(topic: str, last: int, as_json: bool) -> None:
    """Draft a source, and a type of its events, from the last records of TOPIC."""
    settings = read_settings()
    asyncio.run(put_on_record(settings, "looked up", "sources infer", thing=topic))
    text, count = asyncio.run(_inferred(settings, topic, last))
    if as_json:
        print_json({"topic": topic, "records": count, "toml": text})
    else:
        click.echo(text)


@sources.command()
@_CATALOGUE
@click.option("--json", "as_json", is_flag=True, help="One JSON object a source and topic.")
def lag(folder: Path | None, as_json: bool) -> None:
    """Tell how many records each source has before it, by topic, as Kafka says it.

    Which were refused, `tocsin dead-letters list` shows; how fast it goes, the operator page.
    """
    settings = read_settings()
    catalogue = read_catalogue(settings.catalogue if folder is None else folder)
    found = asyncio.run(source_lags(settings.brokers, catalogue.sources.values()))
    if as_json:
        for each in found:
            print_json(each)
        return
    if not found:
        click.echo("No source of the catalogue has a topic that is there.")
        return
    print_lines(aligned([Row((each.source, each.topic), _before(each)) for each in found]))


def _before(each: SourceLag) -> str:
    said = f"{counted(each.lag, 'record')} before it"
    if not each.unread:
        return said
    return f"{said}; not begun in {each.unread} of {counted(each.partitions, 'partition')}"


async def _inferred(settings: Settings, topic: str, last: int) -> tuple[str, int]:
    there = sorted(await topics_of_others(settings.brokers))
    if topic not in there:
        near = get_close_matches(topic, there, SHOWN, 0.0)
        raise WrongUsage(
            f"There is no topic {topic!r} of others than Tocsin; there are "
            f"{', '.join(near) or 'none'}{', and others' * (len(there) > len(near))}."
        )
    records = await read_newest(settings.brokers.unprefixed, [topic], last)
    if not records:
        raise WrongUsage(f"Nothing can be drafted: {topic} holds no records.")
    said = [as_source_record(record, now()) for record in records]
    try:
        wire, plain = await _plain(settings, said)
        return draft(topic, plain, wire), len(said)
    except (NothingToInfer, Undecodable) as error:
        raise WrongUsage(f"Nothing can be drafted: {error}.") from None
    except RegistryUnavailable as error:
        raise Unavailable(str(error)) from error


async def _plain(settings: Settings, records: list[SourceRecord]) -> tuple[str, list[SourceRecord]]:
    """Their format, and what they say in JSON."""
    framed = [record for record in records if is_framed(record)]
    if len(framed) <= len(records) / 2:
        return "json", records
    registry = registry_of(settings)
    if registry is None:
        raise Misconfigured(
            "The records are written by the schemas of a registry: set TOCSIN_SCHEMA_REGISTRY to "
            "its URL."
        )
    try:
        return await in_json(registry, framed)
    finally:
        await registry.close()


async def _tried(
    settings: Settings, catalogue: Catalogue, source: Source, last: int
) -> list[Tried]:
    topics = await _read_by(source, settings)
    records = await read_newest(settings.brokers.unprefixed, topics, last)
    decoders = SourceDecoders(settings)
    try:
        return await tried(source, records, catalogue, decoders, now())
    except RegistryUnavailable as error:
        raise Unavailable(str(error)) from error
    finally:
        await decoders.close()


async def _read_by(source: Source, settings: Settings) -> Mapping[str, int]:
    """The topics that a source reads, with how many partitions each has; raises WrongUsage where it
    reads none."""
    there = await topics_of_others(settings.brokers)
    topics = {name: count for name, count in there.items() if source.reads(name)}
    if not topics:
        raise WrongUsage(
            f"There is no topic that the source {source.name} reads: it is to read "
            f"{', '.join(source.entry.patterns) or 'none, as it takes what comes by HTTP'}."
        )
    return topics


async def _replayed(
    settings: Settings,
    catalogue: Catalogue,
    source: Source,
    spans: Spans | None,
    times: tuple[int, int],
    dry_run: bool,
    done: Replayed,
) -> None:
    kafka = settings.brokers.unprefixed
    topics = await _read_by(source, settings)
    for tp in spans or ():
        if tp.partition >= topics.get(tp.topic, 0):
            count = counted(topics.get(tp.topic, 0), "partition")
            raise WrongUsage(f"{tp.topic} has {count}, from 0. Nothing was written.")
    if spans is None:
        spans = await spans_between(kafka, topics, *times)
    decoders = SourceDecoders(settings)
    producer = None if dry_run else await start_producer(settings.brokers)
    try:
        records = read_spans(kafka, spans)
        at, partitions = now(), settings.partitions
        await replay(
            source, records, catalogue, decoders, producer, now=at, partitions=partitions,
            replayed=done,
        )  # fmt: skip
    except (RegistryUnavailable, Unavailable) as error:
        count = counted(done.moved, "record")
        raise Unavailable(
            f"{error} {count} had been written; do the same again: what counts once counts once."
        ) from error
    finally:
        await decoders.close()
        if producer is not None:
            await producer.stop()


def _span(source: Source, text: str, prefix: str) -> Spans:
    match = _OFFSETS.fullmatch(text)
    if match is None:
        raise WrongUsage(f"--offsets can't be {text!r}; say TOPIC/PARTITION/FIRST-LAST.")
    topic, partition, first, last = match[1], *map(int, match.groups()[1:])
    if not source.reads(topic) or is_ours(topic, prefix):
        raise WrongUsage(f"The source {source.name} does not read {topic}. Nothing was written.")
    if first > last:
        raise WrongUsage(f"--offsets {text}: {first} is after {last}. Nothing was written.")
    return {TopicPartition(topic, partition): (first, last + 1)}


def _replay_lines(done: Replayed, dry_run: bool) -> Iterator[str]:
    verb = "would be written" if dry_run else "were written"
    yield (
        f"{counted(done.read, 'record')}: {done.moved} {verb}, {done.skipped} skipped, "
        f"{done.dead} of no use.{' Nothing was written.' * dry_run}"
    )
    for why, count in done.causes.items():
        yield f"{count}: {why}"


def _the(catalogue: Catalogue, name: str) -> Source:
    source = catalogue.sources.get(name)
    if source is None:
        known = ", ".join(sorted(catalogue.sources)) or "none"
        raise WrongUsage(f"{name!r} is no source of the catalogue: it has {known}.")
    return source


def _described(source: Source, topics: Any) -> dict[str, Any]:
    return {
        "source": source.name,
        "into": source.into,
        "format": source.entry.format,
        "topics": list(source.entry.patterns),
        "start": "now" if source.begins_now else "beginning",
        "examples": len(source.entry.examples),
        "reads": {name: count for name, count in topics.items() if source.reads(name)},
    }


def _row(each: dict[str, Any], *, offline: bool) -> tuple[tuple[str, ...], str]:
    reads = ", ".join(f"{name} ({counted(n, 'partition')})" for name, n in each["reads"].items())
    if not reads:
        listed = ", ".join(each["topics"])
        reads = listed if offline and listed else f"no topic is there yet: {listed}"
        reads = reads if listed else "what comes by HTTP"
    examples = counted(each["examples"], "example")
    return (each["source"], each["format"], f"into {each['into']}"), f"{examples}; reads {reads}"


def _lines(found: list[Tried]) -> Iterator[Any]:
    counts = Counter(each.outcome for each in found)
    told = ", ".join(f"{count} {what}" for what, count in counts.most_common())
    yield f"{counted(len(found), 'record')}: {told or 'none'}. Nothing was written."
    repeats = sum(each.repeats for each in found)
    if repeats:
        yield f"{repeats} have the id of another record, and count as the same event."
    for why, count in Counter(each.why for each in found if each.why).most_common():
        (first,) = [each for each in found if each.why == why][:1]
        what = "dead letters" if first.outcome == DEAD else first.outcome
        yield f"{count} {what}: {why}; the first is {_place(first)}"
    for each in [each for each in found if each.outcome == MOVED][-SHOWN:]:
        yield f"{_place(each)} becomes {each.into}: {_encode(each.value).decode()}"


def _place(each: Tried) -> str:
    return f"{each.topic}/{each.partition}/{each.offset}"
