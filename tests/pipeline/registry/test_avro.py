"""Avro records, as fastavro's own writer writes them, and as nobody would."""

import base64
import contextlib
import datetime as dt
import io
import json
import string
import tracemalloc
import uuid
from decimal import Decimal
from typing import Any

import avro.io
import avro.schema
import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.registry.avro import avro_reader
from pipeline.registry.client import Schema
from policy.source.decoding import Undecodable
from tests.pipeline.registry.framed import HEAD, avro_record, number

MEMORY = 160 << 20
"""Bytes that a record of megabytes may take at most while it is read."""


def schema(node: Any, *references: tuple[str, Any]) -> Schema:
    return Schema("AVRO", json.dumps(node), tuple((n, json.dumps(each)) for n, each in references))


def record(name: str, **fields: Any) -> dict[str, Any]:
    listed = [{"name": each, "type": node} for each, node in fields.items()]
    return {"type": "record", "name": name, "fields": listed}


def logical(kind: str, means: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": means, **more}


NOON = dt.datetime(2026, 1, 2, 12, 0, 0, 7, tzinfo=dt.UTC)
NOON_US = 1767355200000007


@pytest.mark.parametrize(
    ("node", "value", "found"),
    [
        ("bytes", b"\x00\xff", "AP8="),
        (["null", "bytes"], b"", ""),
        ({"type": "fixed", "name": "F", "size": 2}, b"\x00\xff", "AP8="),
        (logical("bytes", "decimal", precision=9, scale=2), Decimal("12.50"), "12.50"),
        (logical("bytes", "decimal", precision=9, scale=2), Decimal("-0.05"), "-0.05"),
        (logical("bytes", "decimal", precision=9, scale=0), Decimal(7), "7"),
        (logical("bytes", "decimal", precision=9), Decimal(-7), "-7"),
        (logical("fixed", "decimal", name="D", size=8, precision=9, scale=4), Decimal(1), "1.0000"),
        (logical("long", "timestamp-millis"), NOON, NOON_US // 1000),
        (logical("long", "timestamp-micros"), NOON, NOON_US),
        (logical("long", "local-timestamp-micros"), NOON.replace(tzinfo=None), NOON_US),
        (logical("int", "date"), dt.date(1970, 2, 1), 31),
        (logical("int", "time-millis"), dt.time(0, 0, 1), 1000),
        (logical("long", "time-micros"), dt.time(0, 0, 1), 1_000_000),
        (logical("string", "uuid"), uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (
            logical("fixed", "uuid", name="U", size=16),
            uuid.UUID(int=1).bytes,
            "00000000-0000-0000-0000-000000000001",
        ),
        (
            logical("fixed", "duration", name="D", size=12),
            b"\x01\0\0\0\x02\0\0\0\x03\x01\0\0",
            {"months": 1, "days": 2, "milliseconds": 259},
        ),
        (logical("string", "somebodys-own"), "a", "a"),
        (["null", {"type": "long"}], 5, 5),
        (["null", "string", record("R", a="int")], {"a": 1}, {"a": 1}),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B"),
        ({"type": "map", "values": "double"}, {"a": 0.5}, {"a": 0.5}),
    ],
)
def test_what_is_read_is_plain(node: Any, value: Any, found: Any) -> None:
    assert avro_reader(schema(node))(avro_record(node, value)) == found


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
LEAVES: st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]] = st.sampled_from(
    [
        ("null", st.none()),
        ("boolean", st.booleans()),
        ("int", st.integers(-(2**31), 2**31 - 1)),
        ("long", st.integers(-(2**63), 2**63 - 1)),
        ("double", st.floats(allow_nan=False)),
        ("string", st.text()),
        ("bytes", st.binary()),
    ]
)


@st.composite
def schemas(draw: st.DrawFn, depth: int = 3) -> tuple[Any, st.SearchStrategy[Any]]:
    """A schema, with values of it."""
    kind = draw(st.sampled_from(["leaf", "leaf", "array", "map", "record", "nullable"]))
    if depth == 0 or kind == "leaf":
        return draw(LEAVES)
    node, values = draw(schemas(depth=depth - 1))
    if kind == "array":
        return {"type": "array", "items": node}, st.lists(values, max_size=4)
    if kind == "map":
        return {"type": "map", "values": node}, st.dictionaries(st.text(), values, max_size=4)
    if kind == "nullable":
        if node == "null" or isinstance(node, list):
            return node, values
        return ["null", node], st.none() | values
    parts = {draw(NAMES): draw(schemas(depth=depth - 1)) for _ in range(draw(st.integers(0, 3)))}
    name = f"R{draw(st.uuids()).hex}"
    fields = record(name, own=node, **{f"_{name}": part for name, (part, _) in parts.items()})
    own = {f"_{name}": each for name, (_, each) in parts.items()}
    return fields, st.fixed_dictionaries({"own": values, **own})


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


@settings(max_examples=60)
@given(st.data())
def test_what_fastavro_writes_is_read(data: st.DataObject) -> None:
    node, values = data.draw(schemas())
    value = data.draw(values)
    assert avro_reader(schema(node))(avro_record(node, value)) == plain(value)


@settings(max_examples=60)
@given(st.data())
def test_what_apaches_own_library_writes_is_read(data: st.DataObject) -> None:
    node, values = data.draw(schemas())
    value = data.draw(values)
    stream = io.BytesIO()
    writer = avro.io.DatumWriter(avro.schema.parse(json.dumps(node)))
    writer.write(value, avro.io.BinaryEncoder(stream))
    assert avro_reader(schema(node))(HEAD + stream.getvalue()) == plain(value)


@settings(max_examples=60)
@given(st.data(), st.binary(max_size=40))
def test_any_bytes_end(data: st.DataObject, value: bytes) -> None:
    """With a value or as undecodable, whatever the schema is."""
    node, _ = data.draw(schemas())
    with contextlib.suppress(Undecodable):
        avro_reader(schema(node))(HEAD + value)


def test_references_are_known_by_name() -> None:
    country = {"type": "enum", "name": "geo.Country", "symbols": ["DE", "FR"]}
    address = {**record("Address", country="Country"), "namespace": "geo"}
    main = record("shop.Order", to="geo.Address", by=["null", "geo.Country"])
    read = avro_reader(schema(main, ("geo.Country", country), ("geo.Address", address)))
    whole = record("shop.Order", to={**address, "fields": [{"name": "country", "type": country}]},
                   by=["null", "geo.Country"])  # fmt: skip
    value = {"to": {"country": "FR"}, "by": "DE"}
    assert read(avro_record(whole, value)) == value


def test_a_readers_schema_fills_drops_renames_and_widens() -> None:
    old = record(
        "Order",
        id="int",
        gone={"type": "array", "items": "boolean"},
        text="bytes",
        raw="string",
        state={"type": "enum", "name": "S", "symbols": ["A", "B"]},
    )
    new = {
        "type": "record",
        "name": "Order",
        "fields": [
            {"name": "number", "type": "double", "aliases": ["id"]},
            {"name": "text", "type": "string"},
            {"name": "raw", "type": "bytes"},
            {
                "name": "state",
                "type": {"type": "enum", "name": "S", "symbols": ["X", "A"], "default": "X"},
            },
            {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
            {"name": "seal", "type": "bytes", "default": "\u00ff"},
            {"name": "note", "type": ["null", "string"], "default": None},
            {"name": "price", "default": "\u0005",
             "type": logical("bytes", "decimal", precision=4, scale=2)},
        ],
    }  # fmt: skip
    read = avro_reader(schema(old), schema(new))
    value = {"id": 7, "gone": [True, False], "text": b"a", "raw": "a", "state": "B"}
    found: Any = read(avro_record(old, value))
    assert found == {
        "number": 7.0,
        "text": "a",
        "raw": "YQ==",
        "state": "X",
        "tags": [],
        "seal": "/w==",
        "note": None,
        "price": "0.05",
    }
    found["tags"].append("mine")
    again: Any = read(avro_record(old, value))
    assert again["tags"] == []


def test_a_readers_schema_that_does_not_fit() -> None:
    old, new = record("Order", id="string"), record("Order", id="string", lacking="int")
    with pytest.raises(Undecodable, match="lacking"):
        avro_reader(schema(old), schema(new))(avro_record(old, {"id": "a"}))


def test_a_default_that_is_none_of_its_type_does_no_harm_to_who_wrote() -> None:
    """Some registries have taken such schemas."""
    node = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "default": "x"}]}
    assert avro_reader(schema(node))(HEAD + number(5)) == {"a": 5}


BOMB = number(2**40) + b"\0"
LAUGHS: Any = [{"name": "f0", "type": record("R0", a="null")}]
LAUGHS += [
    {"name": f"f{level}", "type": record(f"R{level}", a=f"R{level - 1}", b=f"R{level - 1}")}
    for level in range(1, 41)
]


def array(node: Any) -> dict[str, Any]:
    return {"type": "array", "items": node}


@pytest.mark.parametrize(
    ("node", "value"),
    [
        pytest.param(array("null"), BOMB, id="nulls"),
        pytest.param(array(record("Z")), BOMB, id="records without fields"),
        pytest.param(array({"type": "fixed", "name": "F", "size": 0}), BOMB, id="nothing, fixed"),
        pytest.param(array(record("N", a="null", b="null")), BOMB, id="records of nulls"),
        pytest.param(array(array("null")), number(2) + BOMB * 2 + b"\0", id="arrays of nulls"),
        pytest.param(record("T", a=array("null"), b="int"), BOMB + b"\0", id="within a record"),
        pytest.param(array("boolean"), BOMB, id="more items than bytes"),
        pytest.param(array("boolean"), number(5_000_000) + b"\1" * 5_000_000 + b"\0", id="5 MB"),
        pytest.param({"type": "map", "values": "null"}, BOMB, id="more names than bytes"),
        pytest.param({"type": "record", "name": "L", "fields": LAUGHS}, b"", id="a doubling tree"),
        pytest.param(record("N", next=["null", "N"]), b"\2" * 5_000_000, id="5 MB deep"),
        pytest.param(record("N", next="N"), b"", id="a record without end"),
        pytest.param(array(record("N", next=["null", "N"])), b"\2" * 500, id="a deep item"),
        pytest.param("string", number(-5) + b"a" * 50, id="less than nothing"),
        pytest.param("bytes", number(2**62) + b"a", id="more than there is"),
        pytest.param("bytes", number(2**31) + b"a", id="a little more than there is"),
        pytest.param("int", b"\xff" * 5_000_000, id="a number of megabytes"),
        pytest.param(array("int"), number(-(2**63)) + b"\0" * 9, id="a count below all"),
        pytest.param(["null", "int"], number(2), id="no such branch"),
        pytest.param({"type": "enum", "name": "E", "symbols": ["A"]}, number(9), id="no symbol"),
        pytest.param("string", number(2) + b"\xff\xff", id="no text"),
        pytest.param("int", b"", id="nothing"),
        pytest.param("int", b"\2\2", id="more than it says"),
        pytest.param(
            logical("bytes", "decimal", precision=4, scale=2),
            number(5_000_000) + b"a" * 5_000_000,
            id="a decimal of megabytes",
        ),
    ],
)
def test_a_record_that_would_take_too_much(
    node: Any, value: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The less is allowed, the sooner it ends.
    monkeypatch.setattr("pipeline.registry.avro_limits.MOST_VALUES", 20_000)
    read = avro_reader(schema(node))
    tracemalloc.start()
    try:
        with pytest.raises(Undecodable):
            read(HEAD + value)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_what_is_skipped_is_bounded_too() -> None:
    """fastavro passes over what a reader's schema leaves out without a look at its end."""
    old = record("R", gone=array("boolean"), id="int")
    new = record("R", id="int")
    read = avro_reader(schema(old), schema(new))
    assert read(avro_record(old, {"gone": [True] * 3, "id": 4})) == {"id": 4}
    with pytest.raises(Undecodable):
        read(HEAD + BOMB)
    lying = number(-1) + number(-3) + b"\1" + b"\0" + number(4)
    with pytest.raises(Undecodable, match="a block of 1 bytes is said to have -3"):
        read(HEAD + lying)
    honest = number(-1) + number(1) + b"\1" + b"\0" + number(4)
    assert read(HEAD + honest) == {"id": 4}


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ("string", "a" * 5_000_000),
        (array("int"), list(range(90_000))),
        (array(["null", record("R", a="string", b="long")]), [{"a": "x", "b": 1}, None] * 500),
        (record("N", next=["null", "N"]), {"next": {"next": None}}),
        (array("null"), [None] * 1000),
    ],
)
def test_large_and_deep_records_are_read(node: Any, value: Any) -> None:
    assert avro_reader(schema(node))(avro_record(node, value)) == value


def nested(levels: int) -> str:
    return '{"type": "array", "items": ' * levels + '"int"' + "}" * levels


CHAIN: Any = [{"name": "f0", "type": record("R0", a="int")}]
CHAIN += [
    {"name": f"f{level}", "type": record(f"R{level}", a=f"R{level - 1}")}
    for level in range(1, 3_000)
]


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "5", "null", "{}", '"nobody"', "\ud800"),
        *('{"type": "array"}', '{"type": "record"}', '{"type": "record", "name": "R"}'),
        '{"type": "record", "name": "R", "fields": 5}',
        '{"type": "record", "name": 5, "fields": []}',
        '{"type": "record", "name": "R", "fields": [{"name": 1, "type": "int"}]}',
        '{"type": "enum", "name": "E", "symbols": [1]}',
        '{"type": "fixed", "name": "F", "size": -1}',
        '{"type": "fixed", "name": "F", "size": "x"}',
        nested(100),
        nested(100_000),
        json.dumps({"type": "record", "name": "T", "fields": CHAIN}),
    ],
    ids=lambda text: text[:30].encode("utf-8", "replace").decode(),
)
def test_a_schema_that_is_none(text: str) -> None:
    with pytest.raises(Undecodable):
        avro_reader(Schema("AVRO", text))


def test_a_schema_of_a_megabyte() -> None:
    fields = {f"f{each}": record(f"R{each}", a=["null", "string"]) for each in range(10_000)}
    node = record("T", **fields)
    assert len(json.dumps(node)) > 1 << 20
    found: Any = avro_reader(schema(node))(HEAD + b"\0" * 10_000)
    assert found["f9999"] == {"a": None}


def test_fastavros_own_logical_types_stay_as_they_are() -> None:
    """Ours are others, so that who else uses fastavro in this process is not affected."""
    node = fastavro.parse_schema(logical("bytes", "decimal", precision=9, scale=2))
    stream = io.BytesIO(avro_record(node, Decimal("1.50"))[len(HEAD) :])
    assert fastavro.schemaless_reader(stream, node, None) == Decimal("1.50")
