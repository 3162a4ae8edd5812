"""A first draft of a source, and of a type of its events, from records of a topic."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from policy.source.clocks import FILTERS
from policy.source.envelopes import STRUCTURED
from policy.source.record import SourceRecord

_PEOPLE = re.compile(
    r"(user|customer|account|member|client|buyer|owner|recipient|person|contact)(_?id|_?uuid|)$",
    re.IGNORECASE,
)
_ACTORS = re.compile(r"(actor|shop|seller|merchant|author|sender|vendor)(_?id|)$", re.IGNORECASE)
_MOMENTS = re.compile(r"(^|_)(at|time|timestamp|ts|date|on|ms|us)$|(Time|At|Date|Timestamp)$")
_DEBEZIUM = "debezium+"
_MOST_FIELDS = 20
_NAME = re.compile(r"[^A-Za-z0-9]+")
_UNITS = ("s", "ms", "us", "ns")


class NothingToInfer(ValueError):
    """The records are of no format that can be told by them."""


def draft(topic: str, records: Sequence[SourceRecord], wire: str = "json") -> str:
    """A file of the catalogue: a source that reads this topic into events, and a type of them.

    What is named for the user, the actor and the moment is taken for them. The file can be used as
    it is; what it tells of, and when, is for its reader to say. Of records of another `wire` the
    values are what they say, in JSON. Raises NothingToInfer.
    """
    values = [value for record in records if (value := _read(record)) is not None]
    if not values:
        raise NothingToInfer(f"none of {len(records)} records of {topic} is an object in JSON")
    kind = Counter(_format_of(record, value) for record, value in values).most_common(1)[0][0]
    kind = kind.replace("json", wire)
    prefix, rows = _rows(kind, [value for _, value in values])
    fields = _fields(rows)
    name = _NAME.sub("_", topic).strip("_").lower()
    return "\n".join([*_type(name, fields), "", *_source(name, topic, kind, prefix, fields)])


def _read(record: SourceRecord) -> tuple[SourceRecord, dict[str, Any]] | None:
    try:
        value = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    if isinstance(value, dict) and value.keys() == {"schema", "payload"}:
        value = value["payload"]
    return (record, value) if isinstance(value, dict) else None


def _format_of(record: SourceRecord, value: Mapping[str, Any]) -> str:
    headers = record.texts
    if "ce_specversion" in headers or headers.get("content-type", "").startswith(STRUCTURED):
        return "cloudevents"
    if {"specversion", "source", "type"} <= value.keys():
        return "cloudevents"
    if "op" in value and ("after" in value or "before" in value):
        return "debezium+json"
    return "json"


def _rows(kind: str, values: Iterable[Mapping[str, Any]]) -> tuple[str, list[Mapping[str, Any]]]:
    """Under which name the fields of interest stand, and what stands there."""
    if kind.startswith(_DEBEZIUM):
        return "after.", [each["after"] for each in values if isinstance(each.get("after"), dict)]
    if kind == "cloudevents":
        found = [each.get("data", each) for each in values]
        return "data.", [each for each in found if isinstance(each, dict)]
    return "", list(values)


def _fields(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            if name.isidentifier() and value is not None:
                found.setdefault(name, []).append(value)
    return dict(list(found.items())[:_MOST_FIELDS])


def _source(
    name: str, topic: str, kind: str, prefix: str, fields: Mapping[str, Sequence[Any]]
) -> Iterator[str]:
    person, actor = _named(fields, _PEOPLE), _named(fields, _ACTORS)
    moment = _moment(fields)
    yield f"[sources.{name}]"
    yield f'topics = ["{topic}"]'
    yield f'format = "{kind}"'
    yield 'into = "events"'
    if kind.startswith(_DEBEZIUM):
        yield "# One event for each change; say which ones count, as in"
        yield "# when = \"before.status != 'shipped' and after.status == 'shipped'\""
    yield ""
    yield f"[sources.{name}.set]"
    yield f'type = "{name}"'
    who = actor or person
    if who is None and kind != "cloudevents":
        yield "# Nothing is named like who did it: say which field it is."
        yield 'actor = "unknown"'
    elif who is not None:
        yield f'actor = "{{{{ {prefix}{who} }}}}"'
    if moment is not None:
        yield f'occurred_at = "{{{{ {prefix}{moment} }}}}"'
    elif kind.startswith(_DEBEZIUM):
        # Some connectors tell it beside the change alone, and some in its source alone.
        yield 'occurred_at = "{{ (ts_ms or source.ts_ms) | epoch_ms }}"'
    if fields:
        yield ""
        yield f"[sources.{name}.set.data]"
        for field, values in fields.items():
            yield f'{field} = "{{{{ {prefix}{field} }}}}"  # {_kinds(values)}'


def _type(name: str, fields: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    person = _named(fields, _PEOPLE) or _named(fields, _ACTORS) or next(iter(fields), "user")
    shown = [field for field, values in fields.items() if _is_shown(values)][:3]
    body = ", ".join(f"{field} {{{{ data.{field} | default('') }}}}" for field in shown)
    yield f'event = "{name}"'
    yield ""
    yield f"[types.{name}]"
    yield 'category = "updates"'
    yield 'priority = "normal"'
    yield f'users = "{person}"  # the field of data with who is told'
    yield 'channels = ["push", "inapp"]'
    yield 'time_to_live = "1d"'
    yield ""
    yield f"[types.{name}.templates]"
    yield f'push = {{ title = "{name}", body = "{body}" }}'
    yield f'inapp = {{ body = "{body}" }}'


def _named(fields: Mapping[str, Sequence[Any]], pattern: re.Pattern[str]) -> str | None:
    found = [name for name, values in fields.items() if pattern.search(name) and _is_id(values)]
    return min(found, key=len, default=None)


def _moment(fields: Mapping[str, Sequence[Any]]) -> str | None:
    """The field of a moment with the filter that reads it."""
    for name, values in fields.items():
        if not _MOMENTS.search(name):
            continue
        if all(isinstance(value, str) and _is_moment(value) for value in values):
            return name
        for unit in _UNITS:
            if all(_reads(unit, value) for value in values):
                return f"{name} | epoch_{unit}"
    return None


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _reads(unit: str, value: Any) -> bool:
    if isinstance(value, str):
        return False
    try:
        FILTERS[f"epoch_{unit}"](value)
    except Exception:
        return False
    return True


def _is_id(values: Sequence[Any]) -> bool:
    return all(isinstance(value, str | int) and not isinstance(value, bool) for value in values)


def _is_shown(values: Sequence[Any]) -> bool:
    return all(isinstance(value, str | int | float) for value in values)


def _kinds(values: Sequence[Any]) -> str:
    words = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    kinds = {
        words.get(type(value), "list" if isinstance(value, list) else "object") for value in values
    }
    example = orjson.dumps(values[0]).decode()
    return f"{' or '.join(sorted(kinds))}, such as {example[:60]}"
