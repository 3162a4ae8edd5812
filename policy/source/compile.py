"""From `[sources.NAME]` to what runs, with all that is wrong in it."""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase, translate
from typing import Any

from policy.catalogue.problem import Problem
from policy.source.decoding import JSON, NEEDING_REGISTRY
from policy.source.entry import SourceEntry
from policy.source.envelopes import cloud_event, debezium, plain
from policy.source.expression import (
    ABSENT,
    Expression,
    Values,
    compile_condition,
    compile_value,
    is_absent,
)
from policy.source.kinds import HAPPENINGS, fields_of, moment_of, required_of
from policy.source.source import Maker, Source
from schemas.allowed import Path
from schemas.topics import TOPICS

CLOUDEVENTS = "cloudevents"
_DEBEZIUM = "debezium+"
_WIRES = (JSON, *sorted(NEEDING_REGISTRY))
FORMATS = (*_WIRES, CLOUDEVENTS, *(f"{_DEBEZIUM}{wire}" for wire in _WIRES))
_KAFKAS_OWN = "__consumer_offsets"


class _Names:
    """What all expressions of a source speak of, and what is wrong in them."""

    def __init__(self) -> None:
        self.found = set[str]()
        self.problems: list[Problem] = []

    def value(self, path: Path, source: str) -> Expression:
        try:
            expression, names = compile_value(source)
        except ValueError as error:
            self.problems.append((path, str(error)))
            return lambda values: ABSENT
        self.found |= names
        return expression

    def condition(self, source: str) -> Expression:
        try:
            expression, names = compile_condition(source)
        except ValueError as error:
            self.problems.append((("when",), str(error)))
            return lambda values: ABSENT
        self.found |= names
        return expression


def compile_source(name: str, entry: SourceEntry) -> tuple[Source, list[Problem]]:
    """The source of this name; where there are problems, it must not be used."""
    names = _Names()
    made = {field: _maker(("set", field), value, names) for field, value in entry.set.items()}
    when = None if entry.when is None else names.condition(entry.when)
    happens = entry.into in HAPPENINGS
    is_cloud_event = entry.format == CLOUDEVENTS
    wire = entry.format.removeprefix(_DEBEZIUM)
    source = Source(
        name=name,
        entry=entry,
        wire=JSON if is_cloud_event else wire,
        unwrap=cloud_event if is_cloud_event else plain if wire == entry.format else debezium,
        only_topics=_pattern(entry.patterns),
        when=when,
        made=made,
        speaks_of=frozenset(names.found),
        is_cloud_event=is_cloud_event,
        begins_now=(entry.start or ("now" if happens else "beginning")) == "now",
        skips_snapshots=(entry.snapshots or ("skip" if happens else "map")) == "skip",
    )
    problems = [
        *_of_topics(entry),
        *_of_format(entry, source.wire),
        *names.problems,
        *_of_fields(entry),
    ]
    return source, problems


def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(translate, patterns))) if patterns else None


def _of_topics(entry: SourceEntry) -> Iterator[Problem]:
    for pattern in entry.patterns:
        ours = next((each.name for each in TOPICS if fnmatchcase(each.name, pattern)), None)
        if ours == pattern:
            complaint = f"{ours} is a topic of Tocsin's own: a source that reads it goes in circles"
            yield ("topics",), complaint
        elif ours is not None:
            yield ("topics",), f"{pattern} matches {ours}, which is a topic of Tocsin's own"
        elif pattern.startswith("__") or fnmatchcase(_KAFKAS_OWN, pattern):
            yield ("topics",), f"{pattern} matches topics that Kafka keeps for itself"
    for pattern in {each for each in entry.patterns if entry.patterns.count(each) > 1}:
        yield ("topics",), f"names {pattern} more than once"


def _of_format(entry: SourceEntry, wire: str) -> Iterator[Problem]:
    if entry.format not in FORMATS:
        yield ("format",), f"{entry.format!r} is none of {', '.join(FORMATS)}"
    elif entry.read_as is not None and wire != "avro":
        yield ("read_as",), f"is for Avro: {entry.format} has no schema of a reader's own"


def _of_fields(entry: SourceEntry) -> Iterator[Problem]:
    known = fields_of(entry.into)
    for name in entry.set:
        if name not in known:
            complaint = f"is no field of {entry.into}, which has {', '.join(known)}"
            yield ("set", name), complaint
    given = {*entry.set, moment_of(entry.into)}
    if entry.into == "events":
        given |= {"id"} | ({"type", "actor"} if entry.format == CLOUDEVENTS else set())
    for name in sorted(required_of(entry.into) - given):
        yield ("set",), f"lacks {name}, without which there is no record of {entry.into}"


def _maker(path: Path, value: Any, names: _Names) -> Maker:
    match value:
        case str():
            return names.value(path, value)
        case dict():
            return _object({key: _maker((*path, key), each, names) for key, each in value.items()})
        case list():
            made = [_maker((*path, number), each, names) for number, each in enumerate(value)]
            return lambda values: [found for make in made if not is_absent(found := make(values))]
        case _:
            return lambda values: value


def _object(made: Mapping[str, Maker]) -> Maker:
    items = tuple(made.items())

    def make(values: Values) -> dict[str, Any]:
        said = {}
        for name, each in items:
            if not is_absent(found := each(values)):
                said[name] = found
        return said

    return make
