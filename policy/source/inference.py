"""A first draft of a source, and of a type of its events, from records of a topic."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from policy.source.drafted_fields import Field, Row, fields_of, filters_of, kinds_of, moment_in
from policy.source.envelopes import STRUCTURED
from policy.source.record import SourceRecord

_PEOPLE = re.compile(
    r"(user|customer|account|member|client|buyer|owner|recipient|person|contact)(_?id|_?uuid|)$",
    re.IGNORECASE,
)
_ACTORS = re.compile(r"(actor|shop|seller|merchant|author|sender|vendor)(_?id|)$", re.IGNORECASE)
_DEBEZIUM = "debezium+"
_NAME = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_NAME, _LONGEST_SHOWN = 60, 100


class NothingToInfer(ValueError):
    """The records are of no format that can be told by them."""


class _Read(NamedTuple):
    """What a record says, and the schema that stands beside it, if any."""

    record: SourceRecord
    value: dict[str, Any]
    schema: object


def draft(topic: str, records: Sequence[SourceRecord], wire: str = "json") -> str:
    """A file of the catalogue: a source that reads this topic into events, and a type of them.

    What is named for the user, the actor and the moment is taken for them. The file can be used as
    it is; what it tells of, and when, is for its reader to say. Of records of another `wire` the
    values are what they say, in JSON. Raises NothingToInfer.
    """
    values = [value for record in records if (value := _read(record)) is not None]
    if not values:
        raise NothingToInfer(f"none of {len(records)} records of {topic} is an object in JSON")
    kind = Counter(map(_format_of, values)).most_common(1)[0][0]
    kind = kind.replace("json", wire)
    prefix, rows = _rows(kind, values)
    fields = fields_of(rows)
    name = _NAME.sub("_", topic).strip("_").lower()[:_LONGEST_NAME].strip("_") or "topic"
    return "\n".join([*_type(name, fields), "", *_source(name, topic, kind, prefix, fields)])


def _read(record: SourceRecord) -> _Read | None:
    try:
        value, schema = orjson.loads(record.value or b""), None
    except orjson.JSONDecodeError:
        return None
    if isinstance(value, dict) and value.keys() == {"schema", "payload"}:
        value, schema = value["payload"], value["schema"]
    return _Read(record, value, schema) if isinstance(value, dict) else None


def _format_of(read: _Read) -> str:
    headers, value = read.record.texts, read.value
    if "ce_specversion" in headers or headers.get("content-type", "").startswith(STRUCTURED):
        return "cloudevents"
    if {"specversion", "source", "type"} <= value.keys():
        return "cloudevents"
    if "op" in value and ("after" in value or "before" in value):
        return "debezium+json"
    return "json"


def _rows(kind: str, values: Iterable[_Read]) -> tuple[str, list[Row]]:
    """Under which name the fields of interest stand, and what stands there."""
    if kind.startswith(_DEBEZIUM):
        return "after.", [
            Row(each.value["after"], each.record.timestamp, filters_of(_schema_after(each.schema)))
            for each in values
            if isinstance(each.value.get("after"), dict)
        ]
    if kind == "cloudevents":
        found = [(each.value.get("data", each.value), each.record.timestamp) for each in values]
        return "data.", [Row(each, at) for each, at in found if isinstance(each, dict)]
    return "", [Row(each.value, each.record.timestamp, filters_of(each.schema)) for each in values]


def _schema_after(schema: object) -> object:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    found = (
        each
        for each in (fields if isinstance(fields, list) else [])
        if isinstance(each, dict) and each.get("field") == "after"
    )
    return next(found, None)


def _source(
    name: str, topic: str, kind: str, prefix: str, fields: Mapping[str, Field]
) -> Iterator[str]:
    person, actor = _named(fields, _PEOPLE), _named(fields, _ACTORS)
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
        otherwise = "" if who.is_always else " or 'unknown'"
        yield f'actor = "{{{{ {who.read_from(prefix)}{otherwise} }}}}"'
    yield from _occurred_at(kind, prefix, fields)
    if fields:
        yield ""
        yield f"[sources.{name}.set.data]"
        for field in fields.values():
            yield f'{field.key} = "{{{{ {field.read_from(prefix)} }}}}"  # {kinds_of(field.values)}'


def _occurred_at(kind: str, prefix: str, fields: Mapping[str, Field]) -> Iterator[str]:
    if kind.startswith(_DEBEZIUM):
        # When the row was changed, which no column says: what made the row may be years ago. Some
        # connectors tell it in the change's source alone, and some beside the change alone.
        yield 'occurred_at = "{{ (source.ts_ms or ts_ms) | epoch_ms }}"'
    elif (moment := moment_in(fields.values())) is not None:
        field, how = moment
        read = f"{field.read_from(prefix)} | {how}" if how else field.read_from(prefix)
        yield f'occurred_at = "{{{{ {read} }}}}"'
    elif kind != "cloudevents":
        yield "# occurred_at is when the record was written, unless it is set."


def _type(name: str, fields: Mapping[str, Field]) -> Iterator[str]:
    found = _named(fields, _PEOPLE) or _named(fields, _ACTORS)
    person = (
        found.name if found else next((name for name in fields if fields[name].is_simple), "user")
    )
    shown = [each.name for each in fields.values() if each.is_simple and _is_shown(each.values)][:3]
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


def _named(fields: Mapping[str, Field], pattern: re.Pattern[str]) -> Field | None:
    """The field of such a name that most records have, and of these the shortest."""
    found = [
        each
        for each in fields.values()
        if each.is_simple and pattern.search(each.name) and _is_id(each.values)
    ]
    return min(found, key=lambda each: (-len(each.values), len(each.name)), default=None)


def _is_id(values: Sequence[Any]) -> bool:
    return all(isinstance(value, str | int) and not isinstance(value, bool) for value in values)


def _is_shown(values: Sequence[Any]) -> bool:
    """Whether it has room in a text that is looked at."""
    return all(
        isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _LONGEST_SHOWN)
        for value in values
    )
