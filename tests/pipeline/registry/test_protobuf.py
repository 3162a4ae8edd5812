"""Protobuf records as protobuf's own library writes them, and as nobody would."""

import base64
import contextlib
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import (
    any_pb2,
    duration_pb2,
    field_mask_pb2,
    json_format,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.registry import descriptors
from pipeline.registry.client import Schema
from pipeline.registry.descriptors import types_of
from pipeline.registry.protobuf import protobuf_reader
from policy.source.decoding import RegistryUnavailable, Undecodable
from tests.pipeline.registry.framed import HEAD, number, varint

Read = Callable[[bytes], object]
_reader: list[Read] = []
ORDER = number(1) + number(1)
"""That a record is the second message."""
MONEY = 'syntax = "proto3"; package m; message Money { int64 units = 1; string currency = 2; }'
TEXT = """
syntax = "proto3";
package shop;
import "m/money.proto";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

message First { int32 x = 1; }
enum State { UNKNOWN = 0; SHIPPED = 1; }
message Order {
  message Line { string sku = 1; optional uint64 count = 2; repeated Line parts = 3; }
  string id = 1;
  State state = 2;
  google.protobuf.Timestamp at = 3;
  google.protobuf.Duration took = 4;
  google.protobuf.Int64Value maybe = 5;
  google.protobuf.Struct extra = 6;
  google.protobuf.Any any = 7;
  google.protobuf.FieldMask mask = 8;
  map<string, Line> lines = 9;
  map<int32, bytes> raw = 10;
  repeated int32 numbers = 11;
  oneof pay { string card = 12; m.Money cash = 13; }
  bytes seal = 14;
  double share = 15;
  google.protobuf.BytesValue value = 16;
  repeated Line list = 17;
  Order parent = 18;
  sint64 big = 19;
  map<bool, State> flags = 20;
}
"""
SCHEMA = Schema("PROTOBUF", TEXT, (("m/money.proto", MONEY),))
KNOWN = (any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)


@pytest.fixture
async def files() -> dict[str, bytes]:
    """Descriptors of the schema's own files, by name."""
    pool = (await types_of(SCHEMA)).message((1,)).file.pool
    return {
        name: pool.FindFileByName(name).serialized_pb
        for name in ("m/money.proto", descriptors.MAIN)
    }


@pytest.fixture
async def read() -> Read:
    """Made once, as it takes a while."""
    if not _reader:
        _reader.append(await protobuf_reader(SCHEMA))
    return _reader[0]


@pytest.fixture
def order_type(files: dict[str, bytes]) -> Any:
    """As generated code has it, in a pool of its own."""
    pool = DescriptorPool()
    for each in KNOWN:
        pool.AddSerializedFile(each.DESCRIPTOR.serialized_pb)
    for content in files.values():
        pool.AddSerializedFile(content)
    return GetMessageClass(pool.FindMessageTypeByName("shop.Order"))


def of(kind: Any, path: bytes = ORDER, **said: Any) -> bytes:
    data: bytes = kind(**said).SerializeToString()
    return HEAD + path + data


def test_what_is_read_is_plain(read: Read, order_type: Any) -> None:
    order = order_type(id="o-1", state=1, numbers=[1, 2], card="c", seal=b"\x00\xff")
    order.big = -(2**63)
    order.at.FromJsonString("2026-01-02T03:04:05.120Z")
    order.took.FromJsonString("-1.5s")
    order.maybe.value = 0
    order.value.value = b"\xff"
    order.extra.update({"a": [1, None, {"b": "c"}], "d": True})
    order.lines["l"].sku = "s"
    order.lines["l"].count = 0
    order.raw[-4] = b"q"
    order.flags[True] = 1
    order.mask.paths.extend(["a", "b.c"])
    order.list.add(sku="k").parts.add(sku="z")
    order.any.type_url = "type.googleapis.com/m.Money"
    order.any.value = b"\x08\x07"
    found: Any = read(HEAD + ORDER + order.SerializeToString())
    line: Any = {"sku": "z", "count": None, "parts": []}
    assert found == {
        "id": "o-1",
        "state": "SHIPPED",
        "at": "2026-01-02T03:04:05.120Z",
        "took": "-1.500s",
        "maybe": 0,
        "extra": {"a": [1.0, None, {"b": "c"}], "d": True},
        "any": {"@type": "type.googleapis.com/m.Money", "units": 7, "currency": ""},
        "mask": "a,b.c",
        "lines": {"l": {"sku": "s", "count": 0, "parts": []}},
        "raw": {"-4": "cQ=="},
        "numbers": [1, 2],
        "card": "c",
        "cash": None,
        "seal": "AP8=",
        "share": 0.0,
        "value": "/w==",
        "list": [{"sku": "k", "count": None, "parts": [line]}],
        "parent": None,
        "big": -(2**63),
        "flags": {"true": "SHIPPED"},
    }
    json.dumps(found)


def test_what_was_not_written_has_its_default(read: Read, order_type: Any) -> None:
    found: Any = read(of(order_type))
    absent = {name for name, value in found.items() if value is None}
    assert absent == {"at", "took", "maybe", "extra", "any", "mask", "card", "cash", "value",
                      "parent"}  # fmt: skip
    assert found["state"] == "UNKNOWN"
    assert (found["numbers"], found["lines"], found["seal"]) == ([], {}, "")
    assert read(HEAD + b"\x00") == {"x": 0}
    assert read(HEAD + number(2) + number(1) + number(0)) == {"sku": "", "count": None, "parts": []}


def test_words_and_fields_of_a_newer_schema(read: Read) -> None:
    """A number stands for a word that the schema hasn't; a field that it hasn't is left out."""
    found: Any = read(HEAD + ORDER + b"\x10\x09" + b"\xf8\x7f\x05" + b"\x0a\x01a")
    assert (found["state"], found["id"]) == (9, "a")


MOMENTS = st.builds(
    timestamp_pb2.Timestamp,
    seconds=st.integers(-62135596800, 253402300799),
    nanos=st.integers(0, 999_999_999) | st.sampled_from([0, 1000, 5_000_000]),
)
SPANS = st.integers(-315576000000 * 10**9, 315576000000 * 10**9).map(
    lambda nanos: duration_pb2.Duration(
        seconds=abs(nanos) // 10**9 * (-1 if nanos < 0 else 1),
        nanos=abs(nanos) % 10**9 * (-1 if nanos < 0 else 1),
    )
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moment=MOMENTS, span=SPANS)
def test_moments_and_spans_are_what_protobufs_own_json_has(
    read: Read, moment: timestamp_pb2.Timestamp, span: duration_pb2.Duration
) -> None:
    found: Any = read(HEAD + ORDER + _field(3, moment) + _field(4, span))
    assert found["at"] == json_format.MessageToDict(moment)
    assert found["took"] == json_format.MessageToDict(span)


def _field(at: int, message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return varint(at << 3 | 2) + varint(len(data)) + data


def times(count: int, each: bytes) -> bytes:
    return each * count


DEEP = b""
for _ in range(5_000):
    DEEP = varint(18 << 3 | 2) + varint(len(DEEP)) + DEEP
ANYS = b""
for _ in range(1_000):
    ANYS = b"\x0a\x0b/shop.Order" + b"\x12" + varint(len(ANYS)) + ANYS
    ANYS = varint(7 << 3 | 2) + varint(len(ANYS)) + ANYS


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(ORDER + times(350_000, b"\x8a\x01\x00"), id="a million bytes of messages"),
        pytest.param(ORDER + times(1_700_000, b"\x8a\x01\x00"), id="5 MB of messages"),
        pytest.param(ORDER + b"\x5a" + varint(5_000_000) + b"\1" * 5_000_000, id="5 MB of numbers"),
        pytest.param(ORDER + DEEP, id="deep"),
        pytest.param(ORDER + ANYS, id="deep by Any"),
        pytest.param(ORDER + b"\x0a\x05a", id="ends early"),
        pytest.param(ORDER + b"\x0a\xff\xff\xff\xff\x0f", id="more than there is"),
        pytest.param(ORDER + b"\x0a\x01\xff", id="no text"),
        pytest.param(ORDER + b"\xff" * 20, id="no tag"),
        pytest.param(ORDER + b"\x1a\x0a\x08" + b"\xff" * 8 + b"\x7f", id="no moment"),
        pytest.param(ORDER + b"\x1a\x06\x10\xff\xff\xff\xff\x07", id="no fraction of a second"),
        pytest.param(number(1) + number(7), id="no such message"),
        pytest.param(number(2) + number(1) + number(9), id="no such message within it"),
    ],
)
def test_a_record_that_would_take_too_much(
    read: Read, value: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The less is allowed, the sooner it ends.
    monkeypatch.setattr("pipeline.registry.protobuf_limits.MOST_VALUES", 20_000)
    monkeypatch.setattr("pipeline.registry.protobuf.MOST_VALUES", 20_000)
    tracemalloc.start()
    try:
        with pytest.raises((Undecodable, RecursionError)):
            read(HEAD + value)
        assert tracemalloc.get_traced_memory()[1] < 160 << 20
    finally:
        tracemalloc.stop()


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.binary(max_size=60))
def test_any_bytes_end(read: Read, value: bytes) -> None:
    with contextlib.suppress(Undecodable):
        read(HEAD + ORDER + value)


def test_five_megabytes_of_text_are_read(read: Read, order_type: Any) -> None:
    found: Any = read(of(order_type, id="a" * 5_000_000))
    assert len(found["id"]) == 5_000_000


async def test_descriptors_do_as_well_as_text(files: dict[str, bytes], order_type: Any) -> None:
    """Confluent's client for Python registers them; a reference may be either."""
    main, money = (
        base64.b64encode(files[each]).decode() for each in (descriptors.MAIN, "m/money.proto")
    )
    value = of(order_type, id="a", cash={"units": 3})
    expected: Any = (await protobuf_reader(SCHEMA))(value)
    assert expected["cash"] == {"units": 3, "currency": ""}
    for text, reference in ((main, money), (main, MONEY), (TEXT, money)):
        read = await protobuf_reader(Schema("PROTOBUF", text, (("m/money.proto", reference),)))
        assert read(value) == expected


async def test_what_nobody_registers_is_there() -> None:
    text = """
    edition = "2023";
    import "confluent/meta.proto";
    import "confluent/type/decimal.proto";
    import "google/type/latlng.proto";
    message Order {
      string id = 1 [(confluent.field_meta) = { doc: "the order's", tags: ["PII"] }];
      confluent.type.Decimal total = 2;
      google.type.LatLng place = 3;
    }
    """
    read = await protobuf_reader(Schema("PROTOBUF", text))
    assert read(HEAD + b"\x00") == {"id": None, "total": None, "place": None}


async def test_proto2_has_defaults_and_groups() -> None:
    text = """
    syntax = "proto2";
    message Order {
      optional string state = 1 [default = "new"];
      optional int32 count = 2;
      repeated group Line = 3 { optional string sku = 4; }
    }
    """
    read = await protobuf_reader(Schema("PROTOBUF", text))
    line = b"\x1b\x22\x01a\x1c"
    found: Any = read(HEAD + b"\x00" + line)
    assert found == {"state": "new", "count": None, "line": [{"sku": "a"}]}
    with pytest.raises(Undecodable):
        read(HEAD + b"\x00" + b"\x1b\x1c" * 150_000)
    with pytest.raises(Undecodable):
        read(HEAD + b"\x00" + b"\x1b" * 5_000_000)


WIDE = "".join(f"M{at} m{at} = {at};" for at in range(1, 2_500))
MANY = "".join(f"message M{at} {{}}\n" for at in range(1, 2_500))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('syntax = "proto3"; import "nobodys.proto"; message A {}', "nobodys.proto"),
        ('syntax = "proto3"; import "../../etc/passwd"; message A {}', "passwd"),
        ('syntax = "proto3"; import "/etc/passwd"; message A {}', "passwd"),
        ('syntax = "proto3"; message A { Nobody a = 1; }', "Nobody"),
        ('syntax = "proto3";' + "message A {" * 5_000 + "}" * 5_000, "recursion limit"),
        ('syntax = "proto3";' + f"message A {{ {WIDE} }}\n{MANY}", "refers to over 2000 types"),
        ("message", "can't be read"),
        (base64.b64encode(b"no descriptor").decode(), "can't be read"),
        ("", "no message"),
        ("\ud800;", "can't be read"),
    ],
    ids=lambda text: str(text)[:30].encode("utf-8", "replace").decode(),
)
async def test_a_schema_that_is_none(text: str, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        (await protobuf_reader(Schema("PROTOBUF", text)))(HEAD + b"\x00")


@pytest.mark.parametrize(
    "name", ["../m.proto", "/tmp/m.proto", "a/../../m.proto", "a\0b", ".", "confluent", "x" * 300]
)
async def test_a_reference_leads_nowhere_else(name: str) -> None:
    text = 'syntax = "proto3"; message A {}'
    with pytest.raises(Undecodable, match="can't be read"):
        await protobuf_reader(Schema("PROTOBUF", text, ((name, MONEY),)))


async def test_what_protoc_may_take_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """By processor time, after which the schema is none; by the clock, for which it can't help."""
    text = 'syntax = "proto3"; message A {}'
    program = descriptors._PROTOC
    spins = program.replace("from importlib", "while True: pass\nfrom importlib")
    seconds = f"RLIMIT_CPU, {descriptors.PROCESSOR_TIME}"
    assert seconds in spins
    monkeypatch.setattr(descriptors, "_PROTOC", spins.replace(seconds, "RLIMIT_CPU, 1"))
    with pytest.raises(Undecodable, match="protoc doesn't take its schema"):
        await protobuf_reader(Schema("PROTOBUF", text))
    monkeypatch.setattr(descriptors, "_PROTOC", spins)
    monkeypatch.setattr(descriptors, "COMPILE_TIMEOUT_SECONDS", 0.3)
    with pytest.raises(RegistryUnavailable, match="too busy"):
        await protobuf_reader(Schema("PROTOBUF", text))
    missing = program.replace("import protoc", "import nothing")
    monkeypatch.setattr(descriptors, "_PROTOC", missing)
    monkeypatch.setattr(descriptors, "COMPILE_TIMEOUT_SECONDS", 60.0)
    with pytest.raises(RegistryUnavailable, match="grpcio-tools"):
        await protobuf_reader(Schema("PROTOBUF", text))
