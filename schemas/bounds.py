"""Bounds of what a record may hold beyond what its types say; the same in topics and the API.

Lengths of texts and lists stand at the fields themselves. What is free in form, moments, and which
characters a name has are looked at here: whatever passes can be stored, compared, rendered, encoded
and asked for by everybody after.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.inspect import (
    AnyType,
    DateTimeType,
    DictType,
    ListType,
    Metadata,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from schemas.naming import NO_CONTROLS, ONE_LINE, is_one_line

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
DEEPEST = 32
"""Levels of lists and objects in free-form data, the data itself included."""
LARGEST = 512 << 10
"""Bytes of free-form data, in MessagePack."""
SMALLEST_INT, LARGEST_INT = -(1 << 63), (1 << 64) - 1
"""What 64 bits hold; a number beyond is kept as text, digit by digit."""

_NESTS = frozenset((dict, list))
_pack = msgspec.msgpack.Encoder().encode
Value = TypeVar("Value", bound=Struct)
Bound = Callable[[Any], Any]
"""Returns the value, or what is kept in its place; raises OutOfBounds."""


class OutOfBounds(ValueError):
    """A field holds what can't be taken; worded as msgspec words it, with the field's path."""

    def __init__(self, said: str, path: str = "") -> None:
        super().__init__(f"{said} - at `${path}`")
        self._said = said
        self._path = path

    def within(self, step: str) -> "OutOfBounds":
        """The same, seen from what holds the value."""
        return OutOfBounds(self._said, step + self._path)


def bounded(value: Value) -> Value:
    """The value, with numbers beyond 64 bits in free-form data as text; raises OutOfBounds."""
    bound = bound_of(type(value))
    return value if bound is None else bound(value)


@lru_cache(maxsize=256)
def bound_of(kind: type[Struct]) -> Bound | None:
    """The bound of a kind of record; None where its types say all."""
    return _bound(type_info(kind))


def _bound(kind: Type) -> Bound | None:
    match kind:
        case DateTimeType():
            return _moment
        case AnyType() | DictType(value_type=AnyType()):
            return _free_form
        case Metadata(type=inner, extra=said):
            return _name if said == ONE_LINE else _bound(inner)
        case DictType(key_type=key, value_type=inner):
            names, of = _bound(key), _bound(inner)
            return None if names is None and of is None else _each_value(names, of)
        case ListType(item_type=inner) | VarTupleType(item_type=inner):
            return None if (of := _bound(inner)) is None else _each_item(of)
        case UnionType(types=types):
            bounds = [of for each in types if (of := _bound(each)) is not None]
            return (_name if _name in bounds else _unless_none(bounds[0])) if bounds else None
        case StructType(fields=fields):
            found = {field.name: _bound(field.type) for field in fields}
            return _fields({name: of for name, of in found.items() if of is not None})
        case _:
            return None


def _moment(value: datetime) -> datetime:
    if not FIRST <= value <= LAST:
        raise OutOfBounds(f"Expected a time from {FIRST.year} to {LAST.year}")
    return value


def _name(value: str | None) -> str | None:
    if value is not None and not is_one_line(value):
        raise OutOfBounds(NO_CONTROLS)
    return value


def _free_form(value: Any) -> Any:
    if _is_deeper(value, DEEPEST):
        raise OutOfBounds(f"Nested deeper than {DEEPEST} levels")
    try:
        size = len(_pack(value))
    except OverflowError:
        value = _with_text(value)
        size = len(_pack(value))
    if size > LARGEST:
        raise OutOfBounds(f"{size} bytes, {LARGEST} are allowed")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    if type(value) is not dict and type(value) is not list:
        return False
    if levels == 0:
        return True
    # Not by any(): what it is given costs more than all of this.
    for each in value.values() if type(value) is dict else value:
        if type(each) in _NESTS and _is_deeper(each, levels - 1):
            return True
    return False


def _with_text(value: Any) -> Any:
    if type(value) is dict:
        return {key: _with_text(each) for key, each in value.items()}
    if type(value) is list:
        return [_with_text(each) for each in value]
    if type(value) is int and not SMALLEST_INT <= value <= LARGEST_INT:
        return str(value)
    return value


def _fields(bounds: Mapping[str, Bound]) -> Bound | None:
    if not bounds:
        return None
    names = tuple(name for name, bound in bounds.items() if bound is _name)
    others = tuple((name, bound) for name, bound in bounds.items() if bound is not _name)

    def check(value: Any) -> Any:
        # Of every record, and hardly ever with anything to tell: a call each would cost as much as
        # all of the rest.
        for name in names:
            if (text := getattr(value, name)) is not None and not text.isprintable():
                try:
                    _name(text)
                except OutOfBounds as error:
                    raise error.within(f".{name}") from None
        kept = {}
        for name, bound in others:
            before = getattr(value, name)
            try:
                after = bound(before)
            except OutOfBounds as error:
                raise error.within(f".{name}") from None
            if after is not before:
                kept[name] = after
        return msgspec.structs.replace(value, **kept) if kept else value

    return check


def _each_item(bound: Bound) -> Bound:
    def check(values: Any) -> Any:
        kept = []
        for value in values:
            try:
                kept.append(bound(value))
            except OutOfBounds as error:
                raise error.within(f"[{len(kept)}]") from None
        same = all(after is before for after, before in zip(kept, values, strict=True))
        return values if same else type(values)(kept)

    return check


def _each_value(names: Bound | None, bound: Bound | None) -> Bound:
    def check(values: Mapping[str, Any]) -> Mapping[str, Any]:
        for name, value in values.items():
            try:
                if names is not None:
                    names(name)
                if bound is not None:
                    bound(value)
            except OutOfBounds as error:
                raise error.within("[...]") from None
        return values

    return check


def _unless_none(bound: Bound) -> Bound:
    def check(value: Any) -> Any:
        return value if value is None else bound(value)

    return check
