"""The fields of records that a draft speaks of, and how an expression reads each."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any, NamedTuple

import orjson

from policy.source.clocks import FILTERS
from policy.source.source import NAMED

MOST_FIELDS = 20
_MOMENTS = re.compile(r"(^|_)(at|time|timestamp|ts|date|on|ms|us)$|(Time|At|Date|Timestamp)$")
_UNITS = ("s", "ms", "us", "ns")
_FAR = 86_400.0
"""Seconds from when records were written; what is further away tells of something else."""
_SIMPLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_BARE = re.compile("[A-Za-z0-9_-]+")
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "true", "false", "none"})
_DAYS = ("io.debezium.time.Date", "org.apache.kafka.connect.data.Date")
_DECIMAL = "org.apache.kafka.connect.data.Decimal"
_WITH_SCALE = "io.debezium.data.VariableScaleDecimal"


class Row(NamedTuple):
    """What one record says in its fields, when it was written (epoch ms), and the filters by which
    fields are read of which its schema says more than JSON does."""

    fields: Mapping[str, Any]
    written: int
    filters: Mapping[str, str] = {}


class Field(NamedTuple):
    """A field with the values that it has, the times (epoch ms) at which they were written, whether
    each record has it, and the filter that reads it, if any."""

    name: str
    values: Sequence[Any]
    written: Sequence[int]
    is_always: bool
    filter: str

    @property
    def is_simple(self) -> bool:
        """Whether templates can speak of it as it stands."""
        return _SIMPLE.fullmatch(self.name) is not None and self.name.lower() not in _KEYWORDS

    @property
    def key(self) -> str:
        """Its name as a key in TOML."""
        return self.name if _BARE.fullmatch(self.name) else _quoted(self.name)

    def read_from(self, prefix: str) -> str:
        """What an expression says to have its value; with no prefix it stands at the top."""
        path = f"{prefix or 'value.'}{self.name}"
        if not self.is_simple:
            where = (prefix or "value.").removesuffix(".")
            path = f"{where}['{self.name}']"
        elif not prefix and self.name not in NAMED:
            path = self.name
        return f"{path} | {self.filter}" if self.filter else path


def fields_of(rows: Sequence[Row]) -> dict[str, Field]:
    """The first fields that records have, each by its name."""
    found: dict[str, tuple[list[Any], list[int], str]] = {}
    for row in rows:
        for name, value in row.fields.items():
            if value is None or not name.isprintable() or any(each in name for each in "'\"\\{}%#"):
                continue
            values, written, _ = found.setdefault(name, ([], [], row.filters.get(name, "")))
            values.append(value)
            written.append(row.written)
    return {
        name: Field(name, values, written, len(values) == len(rows), how or _seen_in(values))
        for name, (values, written, how) in list(found.items())[:MOST_FIELDS]
    }


def filters_of(schema: object) -> dict[str, str]:
    """Of a row's schema as Connect writes it beside JSON, the filters for what JSON can't say."""
    found = {}
    fields = schema.get("fields") if isinstance(schema, dict) else None
    for each in fields if isinstance(fields, list) else []:
        if isinstance(each, dict) and (how := _filter_of(each)):
            found[str(each.get("field"))] = how
    return found


def moment_in(fields: Iterable[Field]) -> tuple[Field, str] | None:
    """The field, with the filter for its unit, that says when a record's matter happened.

    That is the one nearest to when records were written; none, where that is days away or not
    each record has it.
    """
    found = []
    for each in fields:
        if each.is_always and _MOMENTS.search(each.name) and (read := _moments(each)) is not None:
            unit, seconds = read
            found.append((abs(median(seconds) - median(each.written) / 1000), each, unit))
    away, field, unit = min(found, key=lambda each: each[0], default=(_FAR, None, ""))
    return None if field is None or away >= _FAR else (field, unit)


def kinds_of(values: Sequence[Any]) -> str:
    """A comment on values: what they are, with one of them."""
    words = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    kinds = {
        words.get(type(value), "list" if isinstance(value, list) else "object") for value in values
    }
    example = orjson.dumps(values[0]).decode()[:60]
    shown = "".join(each if each.isprintable() else "?" for each in example)
    return f"{' or '.join(sorted(kinds))}, such as {shown}"


def _filter_of(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"name": name} if name == _DECIMAL:
            parameters = schema.get("parameters")
            scale = parameters.get("scale") if isinstance(parameters, dict) else None
            return f"decimal({scale})" if str(scale).isdigit() else ""
        case {"name": name} if name == _WITH_SCALE:
            return "decimal"
        case {"name": name} if name in _DAYS:
            return "epoch_days"
        case _:
            return ""


def _seen_in(values: Iterable[Any]) -> str:
    is_decimal = all(
        isinstance(each, dict) and each.keys() == {"scale", "value"} for each in values
    )
    return "decimal" if is_decimal else ""


def _moments(field: Field) -> tuple[str, list[float]] | None:
    """The filter that reads all its values, none where they are text, and the seconds they say."""
    if all(isinstance(value, str) for value in field.values):
        return _seconds("", field.values)
    if any(isinstance(value, str) for value in field.values):
        return None
    each = (_seconds(f"epoch_{unit}", field.values) for unit in _UNITS)
    return next((found for found in each if found is not None), None)


def _seconds(name: str, values: Iterable[Any]) -> tuple[str, list[float]] | None:
    try:
        texts = [FILTERS[name](value) if name else value for value in values]
        moments = [datetime.fromisoformat(text) for text in texts]
    except Exception:
        return None
    if any(each.tzinfo is None for each in moments):
        return None
    return name, [each.astimezone(UTC).timestamp() for each in moments]


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
