"""What is allowed at a place of the catalogue, for the author who wrote something else there."""

import re
from enum import Enum
from typing import Any

from msgspec import inspect

from policy.catalogue.problem import shown
from schemas.allowed import Path, allowed, kinds_at

_NO_TABLE = re.compile(r"Expected `([^`]*\|)? ?(object|array)\b[^`]*`, got `\w+`")
_TEXTS = ("en", "09:30", "1h", "5%")
"""One of them fits each pattern that a field has."""
_MOST_SHOWN, _DEEPEST, _NAME = 3, 2, "NAME"
"""Fields of a table in an example, where it needs none; tables within each other; any name."""


def sample_at(kind: type, path: Path) -> Any:
    """Something that may stand there, whatever it means; None where nothing is known to."""
    found = kinds_at(inspect.type_info(kind), path)
    return _sample(found[0]) if found else None


def hint(complaint: str, kind: type, path: Path) -> str:
    """What to write instead, for a complaint of msgspec's about what stands there; may be empty."""
    if said := allowed(complaint, kind, path):
        return said
    if _NO_TABLE.fullmatch(complaint):
        written = [_written(found, path) for found in kinds_at(inspect.type_info(kind), path)]
        return f": write {' or '.join(filter(None, written))}" if any(written) else ""
    return ""


def _written(kind: inspect.Type, path: Path) -> str:
    """How a table or list of this kind is written there; empty for what is neither."""
    match kind:
        case inspect.DictType(value_type=inspect.AnyType()):
            return f"[{shown(path)}]"
        case inspect.DictType(value_type=inspect.DictType(value_type=inspect.AnyType())):
            return f"[{shown((*path, _NAME))}]"
    example = _example(kind, _DEEPEST)
    is_named = path and isinstance(path[-1], str)
    return f"{path[-1]} = {example}" if example and is_named else example


def _example(kind: inspect.Type, levels: int) -> str:
    """Of a table what it must have, or the first of what it may have."""
    match kind:
        case _ if not levels:
            return ""
        case inspect.Metadata(type=inner):
            return _example(inner, levels)
        case inspect.StructType(fields=fields):
            told = [each for each in fields if each.required] or fields[:_MOST_SHOWN]
            written = (f"{each.encode_name} = {_value(each.type, levels - 1)}" for each in told)
            return f"{{ {', '.join(written)} }}"
        case inspect.DictType(key_type=key, value_type=value):
            name = _sample(key) if isinstance(key, inspect.EnumType) else _NAME
            return f"{{ {name} = {_value(value, levels - 1)} }}"
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"[{_value(item, levels)}]"
    return ""


def _value(kind: inspect.Type, levels: int) -> str:
    match kind:
        case inspect.UnionType(types=types):
            return _value(types[0], levels)
        case inspect.EnumType() | inspect.LiteralType():
            return f'"{_sample(kind)}"'
        case inspect.BoolType():
            return "true"
    return _example(kind, levels) or "…"


def _sample(kind: inspect.Type) -> Any:
    match kind:
        case inspect.Metadata(type=inner):
            return _sample(inner)
        case inspect.UnionType(types=types):
            return _sample(next(each for each in types if not isinstance(each, inspect.NoneType)))
        case inspect.StructType(fields=fields):
            return {each.encode_name: _sample(each.type) for each in fields if each.required}
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return [_sample(item)]
        case inspect.DictType():
            return {}
        case inspect.EnumType(cls=choices) if issubclass(choices, Enum):
            return next(iter(choices)).value
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.IntType(ge=least):
            return 60 if least is None else max(least, 1)
        case inspect.StrType(pattern=pattern):
            return next(each for each in _TEXTS if not pattern or re.search(pattern, each))
        case inspect.BoolType():
            return False
    return None
