"""The public topics into which a source may lead, and what a record of each must say."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.inspect import (
    DictType,
    ListType,
    Metadata,
    StrType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from schemas.event import Cancellation, Event
from schemas.feedback import Feedback
from schemas.follow import Follow
from schemas.profile import Contacts, DeviceChange, Preferences, Presence

KINDS: Mapping[str, type[Struct]] = {
    "events": Event,
    "contacts": Contacts,
    "devices": DeviceChange,
    "preferences": Preferences,
    "follows": Follow,
    "presence": Presence,
    "feedback": Feedback,
    "cancellations": Cancellation,
}
"""By the name of the topic."""
HAPPENINGS = frozenset({"events", "presence", "feedback", "cancellations"})
"""Topics of what happens at a moment; all others tell what is so."""
_OURS = frozenset({"accepted_at", "origin"})
"""Fields that Tocsin alone writes."""
_MOMENTS = {"events": "occurred_at", "follows": "at", "feedback": "at", "cancellations": "at"}


def fields_of(into: str) -> tuple[str, ...]:
    """The fields that a mapping may set."""
    return tuple(name for name in KINDS[into].__struct_fields__ if name not in _OURS)


def required_of(into: str) -> frozenset[str]:
    """The fields without which there is no record."""
    found = type_info(KINDS[into])
    fields = found.fields if isinstance(found, StructType) else ()
    return frozenset(field.name for field in fields if field.required)


def moment_of(into: str) -> str | None:
    """The field that says when it was, for which the record's own time may stand in."""
    return _MOMENTS.get(into)


Texts = Callable[[Any], Any]


def texts_of(kind: type[Struct]) -> Mapping[str, Texts]:
    """What makes text of whole numbers where a kind of record has text, by its fields: ids in
    databases are numbers, and here they are names."""
    found = type_info(kind)
    return _by_field(found) if isinstance(found, StructType) else {}


def _by_field(kind: StructType) -> dict[str, Texts]:
    return {each.name: of for each in kind.fields if (of := _texts(each.type)) is not None}


def _texts(kind: Type) -> Texts | None:
    match kind:
        case Metadata(type=inner):
            return _texts(inner)
        case StrType():
            return lambda value: str(value) if type(value) is int else value
        case StructType():
            return _in_fields(found) if (found := _by_field(kind)) else None
        case DictType(value_type=inner) if (of := _texts(inner)) is not None:
            return partial(_each_value, of)
        case ListType(item_type=inner) | VarTupleType(item_type=inner):
            return None if (of := _texts(inner)) is None else partial(_each_item, of)
        case UnionType(types=types):
            return next((of for each in types if (of := _texts(each)) is not None), None)
        case _:
            return None


def _in_fields(texts: Mapping[str, Texts]) -> Texts:
    def made(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: texts[name](each) if name in texts else each for name, each in value.items()}

    return made


def _each_value(of: Texts, value: Any) -> Any:
    return {key: of(each) for key, each in value.items()} if isinstance(value, dict) else value


def _each_item(of: Texts, value: Any) -> Any:
    return [of(each) for each in value] if isinstance(value, list) else value
