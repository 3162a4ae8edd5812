"""Whether a source does with its examples what they say."""

from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from policy.catalogue.problem import Problem
from policy.source.entry import ExampleEntry
from policy.source.record import Mapped, Outcome, Refused, Skipped, SourceRecord
from policy.source.source import Source

_T = TypeVar("_T")
SHOWN = 300
"""Characters of a value that is told."""
_TIMESTAMP = 1_700_000_000_000
"""Of an example that says none."""


def example_problems(source: Source, files: Mapping[str, str]) -> Iterator[Problem]:
    """What is other than an example says; `files` are those beside the catalogue, by name.

    Of a format that needs a registry, `given` is what the record says, in JSON.
    """
    for number, example in enumerate(source.entry.examples):
        path = "examples", number
        given = example.given
        if isinstance(given, str) and given.endswith(".json") and given not in files:
            yield (*path, "given"), f"there is no file {given} in the catalogue's folder"
            continue
        outcome = at_once(source.outcome(_record(source, example, files)))
        for complaint in _differences(example, outcome):
            yield (*path, "gives"), complaint


def _record(source: Source, example: ExampleEntry, files: Mapping[str, str]) -> SourceRecord:
    match example.given:
        case None:
            value = None
        case str() as given:
            value = files.get(given, given).encode()
        case given:
            value = msgspec.json.encode(given)
    topic = example.topic or next(iter(source.entry.patterns), "")
    return SourceRecord(
        value=value,
        timestamp=example.timestamp or _TIMESTAMP,
        topic=topic,
        partition=example.partition,
        offset=example.offset,
        key=None if example.key is None else example.key.encode(),
        headers=tuple((name, text.encode()) for name, text in example.headers.items()),
    )


def _differences(example: ExampleEntry, outcome: Outcome) -> Iterator[str]:
    wanted = example.gives
    match outcome:
        case Skipped(why=why):
            if wanted != "skipped":
                yield f"the record is skipped: {why}"
        case Refused(reason=reason, detail=detail):
            if wanted != "refused":
                yield f"the record is refused: {reason}: {detail}"
        case Mapped(value=value):
            if isinstance(wanted, str):
                yield f"the record is not {wanted}"
                return
            has = msgspec.to_builtins(value)
            for name, want in msgspec.to_builtins(wanted).items():
                if name not in has:
                    yield f"there is no {name}"
                elif has[name] != want:
                    yield f"{name} is {_shown(has[name])}, not {_shown(want)}"


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()[:SHOWN]


def at_once(outcome: Coroutine[Any, Any, _T]) -> _T:
    """What comes of it, also where a loop runs already: a catalogue may be read within one.

    Only for what waits for nothing outside.
    """
    try:
        outcome.send(None)
    except StopIteration as done:
        found: _T = done.value
        return found
    outcome.close()
    raise RuntimeError("an example waits for something outside")
