"""The reference of the catalogue: every table that may stand in a file, and every field of it."""

import types
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from policy.catalogue import entry
from policy.catalogue.text_entry import LocaleName
from policy.limits.rate_limit import RateLimit, TenantLimit
from policy.source.entry import Into, SourceEntry, TopicPattern
from policy.time.duration import Duration
from schemas.event import Name
from schemas.profile import ClockTime, QuietHours
from tests.documentation.field_docs import field_docs, paragraphs
from tests.documentation.markdown import code, generated, table

SECTIONS: dict[str, tuple[str, type[Struct] | None, str]] = {
    "event": ("event", None, "the type of the event that sets off the file's notification types"),
    "types": ("[types.NAME]", entry.Entry, "notification types"),
    "categories": ("[categories.NAME]", entry.CategoryEntry, "limits of a category"),
    "tenants": ("[tenants.NAME]", entry.TenantEntry, "defaults of a tenant"),
    "layouts": ("[layouts.NAME]", entry.Layout, "what goes around e-mails"),
    "segments": ("[segments.NAME]", entry.SegmentEntry, "users to be addressed together"),
    "sources": ("[sources.NAME]", SourceEntry, "topics of a company's own, and their meaning"),
    "holdout": ("[holdout]", entry.HoldoutEntry, "users who get none of the types"),
}
"""By the name of each section: how it is written, what it holds, and what it is for."""
NAMED: tuple[tuple[Any, str], ...] = (
    (Duration, "duration"),
    (Duration | None, "duration"),
    (entry.FieldPath, "path"),
    (LocaleName, "locale"),
    (entry.PlainName, "name"),
    (entry.Share, "percentage"),
    (Name, "name"),
    (TopicPattern, "topic"),
    (Into, "public topic"),
    (ClockTime, "time of day"),
)
LIMITS = {"count": "Notifications.", "seconds": "In any span of so many seconds."}
SPANS = {
    "start": "By the user's clock, such as `22:00`.",
    "end": "By the user's clock; before `start`, it is on the next day.",
    "days": "The days on which it starts; every day unless set.",
}
TERMS = """
A **duration** is a number of seconds, or text such as `"90s"`, `"15m"`, `"2h"` or `"7d"`. A
**path** names a field of the event's data, such as `order.customer_id`. A **name** has 1 to 200
characters; names of types, categories, segments and layouts are made of letters, digits, `_` and
`-`. A **time of day** is such as `"18:30"`. A **locale** is such as `de` or `pt-BR`. Unknown
fields are errors.
"""


def page() -> str:
    """The sections of a file, and a table of fields for each kind of table."""
    about = """
What may stand in the TOML files of the catalogue. A file holds the notification types of one event;
the other sections may stand in any file, each name once. `tocsin catalogue check` reports every
mistake with file and line, and [catalogue/](../../catalogue/) has examples. How the fields work
together: [decisions](../decisions.md).
"""
    rows = (
        (code(shown), _link(kind) if kind else "name", said)
        for shown, kind, said in SECTIONS.values()
    )
    parts = [
        generated("Catalogue", about),
        TERMS.strip() + "\n\n",
        table(("section", "holds", "for"), rows) + "\n",
    ]
    parts += [_part(kind) for kind in reached()]
    return "".join(parts)


def reached() -> list[type[Struct]]:
    """Every kind of table that a file may hold, each once, in the order in which it is met."""
    found: list[type[Struct]] = []
    left = [kind for _, kind, _ in SECTIONS.values() if kind is not None]
    while left:
        kind = left.pop(0)
        if kind not in found:
            found.append(kind)
            hints = get_type_hints(kind, include_extras=True).values()
            left += [each for hint in hints for each in _structs(hint)]
    return found


def docs_of(kind: type[Struct]) -> dict[str, str]:
    """What each field means, also those that a struct has from another."""
    if kind in (RateLimit, TenantLimit):
        return LIMITS
    if kind is QuietHours:
        return SPANS
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if issubclass(each, Struct) and each is not Struct:
            found |= LIMITS if each is RateLimit else field_docs(each)
    return found


def _part(kind: type[Struct]) -> str:
    hints, docs = get_type_hints(kind, include_extras=True), docs_of(kind)
    rows = [
        (code(field.name), shown(hints[field.name]), _default(field), docs[field.name])
        for field in msgspec.structs.fields(kind)
    ]
    head = ("field", "type", "default", "meaning")
    return f"## {title(kind)}\n\n{paragraphs(kind)}\n\n{table(head, rows)}\n"


def title(kind: type[Struct]) -> str:
    """The name of a kind of table on the page."""
    return "Type" if kind is entry.Entry else kind.__name__.removesuffix("Entry")


def _link(kind: type[Struct]) -> str:
    return f"[{title(kind)}](#{title(kind).lower()})"


def _structs(hint: Any) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for each in get_args(hint):
        yield from _structs(each)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    default = field.default if field.default is not NODEFAULT else field.default_factory()
    if default is None or default in ((), {}, ""):
        return ""
    if isinstance(default, Struct):
        return ""
    return code(str(default).lower() if isinstance(default, bool) else default)


def shown(hint: Any) -> str:
    """A type in a few words."""
    for known, name in NAMED:
        if hint == known:
            return name
    arguments, origin = get_args(hint), get_origin(hint)
    if origin in (types.UnionType, Union):
        return " or ".join(shown(each) for each in arguments if each is not types.NoneType)
    if origin is Annotated:
        bounds = ", ".join(_bounds(arguments[1:]))
        return shown(arguments[0]) + (f" ({bounds})" if bounds else "")
    if origin is Literal:
        return " or ".join(code(each) for each in arguments)
    if origin in (tuple, list):
        return f"list of {shown(arguments[0])}"
    if origin is dict:
        return f"table of {shown(arguments[1])} by {shown(arguments[0])}"
    if issubclass(hint, Struct):
        return _link(hint)
    if issubclass(hint, Enum):
        return str(hint.__name__).lower()
    return {str: "text", bool: "true or false", int: "integer", float: "number", Any: "anything"}[
        hint
    ]


def _bounds(metas: tuple[Any, ...]) -> Iterator[str]:
    for meta in metas:
        assert isinstance(meta, Meta)
        for name, words in (
            ("ge", "at least {}"),
            ("le", "at most {}"),
            ("max_length", "at most {}"),
        ):
            if (bound := getattr(meta, name)) is not None:
                yield words.format(bound)
