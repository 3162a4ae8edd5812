"""Whether the paths of a type lead into the data of its event, as they are meant to."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from policy.catalogue.entry import Entry
from policy.catalogue.problem import Problem
from schemas.allowed import Path

_BEFORE = "data."
_SPEAKS_OF_DATA_IN_DATA = re.compile(r"""\bdata\s*(\.\s*data\b|\[\s*["']data["']\s*\])""")


def misleading_paths(entry: Entry) -> Iterator[Problem]:
    """Paths that are written as templates are, with braces or from `data` on.

    The data may have a field called `data`: then a text of the type, or its condition, speaks of
    it.
    """
    has_data = any(map(_SPEAKS_OF_DATA_IN_DATA.search, _sources(entry)))
    for at, path in _paths(entry):
        plain = path.strip("{} ").removeprefix(_BEFORE)
        if set("{}") & set(path):
            yield at, f"is a path and no template: write {plain!r}"
        elif path.startswith(_BEFORE) and not has_data:
            yield at, f"begins within the data, and they have no data in them: write {plain!r}"


def _paths(entry: Entry) -> Iterator[tuple[Path, str]]:
    for field in ("users", "subscribers", "segment_at", "topic", "replaces"):
        yield from _given((field,), getattr(entry, field))
    for at, digest in enumerate(entry.digests):
        yield from _given(("digests", at, "key"), digest.key)
    if entry.until is not None:
        yield ("until", "match"), entry.until.match
    if entry.repeat is not None:
        for at, path in enumerate(entry.repeat.then):
            yield ("repeat", "then", at), path
    if entry.goal is not None:
        yield from _given(("goal", "match"), entry.goal.match)
        yield from _given(("goal", "user"), entry.goal.user)
    for channel, templates in entry.templates.given().items():
        for at, name in enumerate(templates.data):
            yield ("templates", channel, "data", at), name


def _given(at: Path, path: str | None) -> Iterator[tuple[Path, str]]:
    if path is not None:
        yield at, path


def _sources(entry: Entry) -> Iterator[str]:
    variants = [variant.templates for variant in entry.variants().values()]
    return _texts([entry.when, *map(msgspec.to_builtins, (entry.templates, *variants))])


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)
