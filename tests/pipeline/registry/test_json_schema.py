"""JSON records, and schemas that would keep a worker busy for hours."""

import json
import socket
from typing import Any

import pytest

from embedded.process import LOOPBACK
from pipeline.registry.client import Schema
from pipeline.registry.json_schema import json_reader
from pipeline.registry.json_unfolding import MOST_RULES
from policy.source.decoding import Undecodable
from tests.pipeline.registry.framed import HEAD

ADDRESS = {"type": "object", "required": ["zip"], "properties": {"zip": {"type": "string"}}}


def schema(node: Any, **references: Any) -> Schema:
    named = tuple((name, json.dumps(each)) for name, each in references.items())
    return Schema("JSON", json.dumps(node), named)


def record(value: Any) -> bytes:
    return HEAD + json.dumps(value).encode()


@pytest.mark.parametrize(
    ("node", "references"),
    [
        ({"properties": {"to": {"$ref": "address.json"}}}, {"address.json": ADDRESS}),
        (
            {"$id": "https://shop.example/order", "properties": {"to": {"$ref": "address"}}},
            {"address": ADDRESS},
        ),
        (
            {"properties": {"to": {"$ref": "https://shop.example/address"}}},
            {"https://shop.example/address": ADDRESS},
        ),
        (
            {"properties": {"to": {"$ref": "all.json#/definitions/address"}}},
            {"all.json": {"definitions": {"address": ADDRESS}}},
        ),
        (
            {"$defs": {"a/b": ADDRESS}, "properties": {"to": {"$ref": "#/$defs/a~1b"}}},
            {},
        ),
        (
            {"properties": {"to": {"$ref": "a.json"}}},
            {"b.json": ADDRESS, "a.json": {"allOf": [{"$ref": "b.json"}]}},
        ),
    ],
)
def test_a_record_is_held_to_its_schema(node: Any, references: dict[str, Any]) -> None:
    read = json_reader(schema(node, **references))
    assert read(record({"to": {"zip": "1"}, "more": 1.5})) == {"to": {"zip": "1"}, "more": 1.5}
    with pytest.raises(Undecodable, match="contradicts its schema at /to/zip"):
        read(record({"to": {"zip": 1}}))
    with pytest.raises(Undecodable, match="`required`"):
        read(record({"to": {}}))


DOUBLING: dict[str, Any] = {
    f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(60)
} | {"d60": {"type": "integer"}}
TREE = {"anyOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]}
DEEP: Any = {}
for _ in range(400):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"$ref": "#"}, 5),
        ({"$defs": DOUBLING, "$ref": "#/$defs/d0"}, "no integer"),
        (TREE, DEEP),
        ({"allOf": [{"type": "integer"}] * (MOST_RULES + 1)}, "no integer"),
        ({"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a", "type": "integer"}}}, "x"),
        ({"properties": {"a": {"$ref": "nobodys.json"}}}, {"a": 5}),
    ],
    ids=["itself", "doubling", "a tree of itself", "large", "dynamic", "of nobody"],
)
def test_a_schema_without_bound_is_not_held_against_records(node: Any, value: Any) -> None:
    assert json_reader(schema(node))(record(value)) == value


def test_nothing_is_fetched() -> None:
    """Whoever registers a schema must not have us call somebody."""
    with socket.create_server((LOOPBACK, 0)) as server:
        url = f"http://{LOOPBACK}:{server.getsockname()[1]}/address.json"
        read = json_reader(schema({"$id": url, "properties": {"a": {"$ref": "other.json"}}}))
        read(record({"a": 5}))
        read = json_reader(schema({"properties": {"a": {"$ref": url}}}))
        read(record({"a": 5}))
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "value", [b"", b"{", b'"\xff"', b"NaN", b"[" * 100_000, b'{"a": 1} x', b"\x00"]
)
def test_what_is_no_json(value: bytes) -> None:
    with pytest.raises(Undecodable):
        json_reader(schema(True))(HEAD + value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "5", '{"type": 5}', '{"$ref": "#/nowhere"}', '{"pattern": "("}', "[" * 100_000,
     '{"pattern": "((a{1,1000}){1,1000}){1,1000}"}', "\ud800"],
    ids=lambda text: text[:20].encode("utf-8", "replace").decode(),
)  # fmt: skip
def test_a_schema_that_is_none(text: str) -> None:
    with pytest.raises(Undecodable):
        json_reader(Schema("JSON", text))


def test_a_pattern_ends() -> None:
    read = json_reader(schema({"type": "string", "pattern": r"^(?=(a+)+$)(a|a)*\1$"}))
    with pytest.raises(Undecodable):
        read(record("a" * 50_000 + "b"))
