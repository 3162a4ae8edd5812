"""Schemas in the form that generators of clients like, and of the same meaning."""

from typing import Any

import pytest

from web.api.openapi.schema import tidied, without_null

NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"default": None, "type": "string"}, {"type": "string"}),
        ({"default": 0}, {"default": 0}),
        ({"description": "\n    a\n      b\n    "}, {"description": "a\n  b"}),
        ({"enum": ["a"]}, {"enum": ["a"], "type": "string"}),
        ({"enum": [1], "type": "integer"}, {"enum": [1], "type": "integer"}),
        ({"type": "object"}, {"type": "object", "additionalProperties": True}),
        ({"type": "object", "properties": {}}, {"type": "object", "properties": {}}),
        (
            {"type": "object", "additionalProperties": False},
            {"type": "object", "additionalProperties": False},
        ),
        ({"type": "array"}, {"type": "array", "items": {}}),
        (
            {"type": "array", "items": {"type": "array"}},
            {"type": "array", "items": {"type": "array", "items": {}}},
        ),
        ({"anyOf": [{"type": "string"}, NULL]}, {"type": ["string", "null"]}),
        (
            {"anyOf": [NULL, {"type": "string", "minLength": 1}], "title": "T"},
            {"type": ["string", "null"], "minLength": 1, "title": "T"},
        ),
        ({"anyOf": [{"$ref": "x"}, NULL]}, {"anyOf": [{"$ref": "x"}, NULL]}),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}, NULL]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}, NULL]},
        ),
        ({"x": ({"default": None},)}, {"x": [{}]}),
        # A field that bears the name of a keyword is a field.
        (
            {"type": "object", "properties": {"enum": {"type": "array"}}},
            {"type": "object", "properties": {"enum": {"type": "array", "items": {}}}},
        ),
    ],
)
def test_a_schema_in_the_form_that_most_know(schema: Any, expected: Any) -> None:
    assert tidied(schema) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, {"type": "string"}),
        ({"type": ["string", "null"], "x": 1}, {"type": "string", "x": 1}),
        ({"type": ["null", "string"]}, {"type": "string"}),
        ({"anyOf": [{"$ref": "a"}, NULL], "x": 1}, {"$ref": "a", "x": 1}),
        ({"anyOf": [{"$ref": "a"}, {"$ref": "b"}]}, {"anyOf": [{"$ref": "a"}, {"$ref": "b"}]}),
    ],
)
def test_a_query_can_not_say_null(schema: Any, expected: Any) -> None:
    assert without_null(schema) == expected
