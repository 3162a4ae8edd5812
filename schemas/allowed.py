"""What may stand at a place of a struct, for who wrote something else there."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from enum import Enum
from typing import Any

from msgspec import inspect

Path = tuple[str | int, ...]
"""Names of fields and numbers of items that lead to a place."""

UNKNOWN_FIELD = re.compile("Object contains unknown field `(.*)`", re.DOTALL)
_VALUE = re.compile("Invalid enum value '?(.*?)'?", re.DOTALL)
_MOST_LISTED = 20
"""Fields that are listed where none is like the one that was written."""
_ALIKE = 0.7
"""Of difflib's ratio: `chanels` is like `channels`, and `sound` like nothing that there is."""


def allowed(complaint: str, kind: Any, path: Path) -> str:
    """What to write instead, for a complaint of msgspec's about what stands there; may be empty.

    It continues the complaint's sentence.
    """
    if wrong := _VALUE.fullmatch(complaint):
        values = _values_at(kind, path)
        return f"{meant(wrong[1], values)}: it is one of {', '.join(values)}" if values else ""
    if unknown := UNKNOWN_FIELD.fullmatch(complaint):
        known = _fields_at(kind, path)
        few = f": it has {', '.join(known)}" if len(known) <= _MOST_LISTED else ""
        return meant(unknown[1], known) or few
    return ""


def _values_at(kind: type, path: Path) -> list[str]:
    """The values that may stand there, none where they can't be listed."""
    for found in kinds_at(inspect.type_info(kind), path):
        match found:
            case inspect.EnumType(cls=choices) if issubclass(choices, Enum):
                return [str(each.value) for each in choices]
            case inspect.LiteralType(values=values):
                return [str(each) for each in values]
    return []


def _fields_at(kind: type, path: Path) -> list[str]:
    """The fields of the table there."""
    return [
        field.encode_name
        for found in kinds_at(inspect.type_info(kind), path)
        if isinstance(found, inspect.StructType)
        for field in found.fields
    ]


def kinds_at(kind: inspect.Type, path: Path) -> list[inspect.Type]:
    """The kinds that a value at the path may have."""
    kinds = [kind]
    for step in path:
        kinds = [inner for each in _plain(kinds) for inner in _inside(each, step)]
    return _plain(kinds)


def _plain(kinds: list[inspect.Type]) -> list[inspect.Type]:
    found: list[inspect.Type] = []
    for kind in kinds:
        match kind:
            case inspect.UnionType(types=types):
                found += _plain(list(types))
            case inspect.Metadata(type=inner):
                found += _plain([inner])
            case _:
                found.append(kind)
    return found


def _inside(kind: inspect.Type, step: str | int) -> list[Any]:
    match kind:
        case inspect.StructType(fields=fields):
            return [field.type for field in fields if field.encode_name == step]
        # The path of a key ends with the key itself.
        case inspect.DictType(key_type=key, value_type=value):
            return [value, key]
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return [item]
    return []


def meant(written: str, known: Sequence[str]) -> str:
    """Which of the known names may be meant, as a sentence's end; empty where none is alike."""
    close = get_close_matches(written.lower(), known, n=1, cutoff=_ALIKE)
    return f" (did you mean {close[0]}?)" if close else ""
