"""Schemas as generators of clients like them: of one meaning, in the form that most know."""

import inspect
from typing import Any

from schemas.vocabulary import UNWRITTEN

_NULL = {"type": "null"}


def tidied(schema: Any) -> Any:
    """The same schema, with the types that msgspec leaves out and without defaults of None."""
    match schema:
        case dict():
            return _tidied({name: tidied(value) for name, value in schema.items()})
        case list() | tuple():
            return [tidied(each) for each in schema]
    return schema


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Of a field that may be null, the schema of what else it may be; queries can't say null."""
    if isinstance(kinds := schema.get("type"), list):
        return {**schema, "type": next(kind for kind in kinds if kind != "null")}
    choices = [each for each in schema.get("anyOf", ()) if each != _NULL]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **choices[0]} if len(choices) == 1 else schema


def _tidied(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("default", ...) is None:
        del schema["default"]
    if isinstance(said := schema.get("description"), str):
        schema["description"] = inspect.cleandoc(said)
    if isinstance(words := schema.get("enum"), list):
        schema.setdefault("type", "string")
        schema["enum"] = [word for word in words if word not in UNWRITTEN]
    if schema.get("type") == "object" and not schema.keys() & {
        "properties",
        "additionalProperties",
    }:
        schema["additionalProperties"] = True
    if schema.get("type") == "array":
        schema.setdefault("items", {})
    return _nullable(schema)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    choices = schema.get("anyOf")
    if not isinstance(choices, list) or len(choices) != 2 or _NULL not in choices:
        return schema
    other = choices[0] if choices[1] == _NULL else choices[1]
    if not isinstance(other.get("type"), str):
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **other, "type": [other["type"], "null"]}
