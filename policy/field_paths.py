"""Paths into the free-form data of an event."""

from collections.abc import Mapping
from typing import Any


def value_at(data: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at the path; None where nothing does."""
    value: Any = data
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def key_at(data: Mapping[str, Any], path: tuple[str, ...]) -> str | None:
    """By what two events are of the same thing; None without a value.

    Texts and numbers are values: 7, 7.0 and "7" are the same one.
    """
    value = value_at(data, path)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        return None
    return str(value)


def text_at(data: Mapping[str, Any], path: tuple[str, ...]) -> str:
    """The same as text; empty where nothing stands, or nothing that has a short text."""
    value = value_at(data, path) if path else None
    return str(value)[:200] if isinstance(value, str | int | float | bool) else ""
