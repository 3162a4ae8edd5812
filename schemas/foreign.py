"""JSON that somebody else writes, whose documents and whose replies differ."""

from contextlib import suppress
from datetime import datetime
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec.structs import fields

Value = TypeVar("Value")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_foreign(body: bytes, kind: type[Value]) -> Value:
    """What a JSON text of others' says, as far as it fits a type; raises UNDECODABLE.

    A field that has a default and holds something else, such as null, is as if it were absent, and
    numbers may stand as text where text may stand as numbers. A field without a default must fit.
    """
    text = body.removeprefix(_BYTE_ORDER_MARK)
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        found: Value = _fitted(msgspec.json.decode(text), kind)
        return found


def _fitted(value: Any, kind: Any) -> Any:
    """The value as a type has it; raises ValidationError."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _fitted_to_any(value, inner)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(value, kind)
    if origin in (list, tuple) and isinstance(value, list):
        return origin(_fitted(each, inner[0]) for each in value)
    if kind is msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(value))
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    # What is a number in quotation marks is one; no other text is taken for something else.
    strict = kind not in (int, float, datetime)
    return msgspec.convert(value, kind, strict=strict)


def _fitted_to_any(value: Any, kinds: tuple[Any, ...]) -> Any:
    if value is None and type(None) in kinds:
        return None
    for kind in kinds:
        with suppress(msgspec.ValidationError):
            return _fitted(value, kind)
    raise msgspec.ValidationError("it fits none of them")


def _struct(value: Any, kind: type[msgspec.Struct]) -> msgspec.Struct:
    if not isinstance(value, dict):
        raise msgspec.ValidationError("it is no object")
    found: dict[str, Any] = {}
    for field in fields(kind):
        if field.encode_name in value:
            try:
                found[field.name] = _fitted(value[field.encode_name], field.type)
            except msgspec.ValidationError:
                if field.required:
                    raise
        elif field.required:
            raise msgspec.ValidationError(f"it has no {field.encode_name}")
    return kind(**found)
