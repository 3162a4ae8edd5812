"""Records of Confluent's own serializers, by way of a registry that others wrote."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from pipeline.registry.client import Registry
from pipeline.registry.decoder import RegistryDecoder
from pipeline.registry.descriptors import types_of
from policy.source.decoding import RegistryUnavailable, Undecodable
from policy.source.entry import ReadAsEntry
from tests.agents.names import unique
from tests.pipeline.registry.apicurio import Apicurio
from tests.pipeline.registry.schemas import ENVELOPE, ORDER_PROTO

Say = Callable[..., Any]


@pytest.fixture
async def registry(apicurio: Apicurio) -> AsyncIterator[Registry]:
    registry = Registry(apicurio.url)
    yield registry
    await registry.close()


@pytest.fixture
def confluent(apicurio: Apicurio) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": apicurio.url}) as client:
        yield client


async def written(
    serializer: Say, value: Any, topic: str, field: str = MessageField.VALUE
) -> bytes:
    """What Confluent's serializer, which blocks, makes of a value."""
    found = await asyncio.to_thread(serializer, value, SerializationContext(topic, field))
    assert isinstance(found, bytes)
    return found


async def test_avro_by_confluents_serializer(
    registry: Registry, confluent: SchemaRegistryClient
) -> None:
    topic = unique("orders")
    schema = {
        "type": "record",
        "name": "shop.Order",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "total", "type": {"type": "bytes", "logicalType": "decimal",
                                       "precision": 9, "scale": 2}},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "note", "type": ["null", "string"], "default": None},
            {"name": "seal", "type": "bytes"},
        ],
    }  # fmt: skip
    order = {
        "id": "o-1",
        "total": Decimal("-12.50"),
        "at": dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
        "day": dt.date(1970, 2, 1),
        "note": None,
        "seal": b"\x00\xff",
    }
    value = await written(AvroSerializer(confluent, json.dumps(schema)), order, topic)
    assert await RegistryDecoder(registry, "avro").decode(value, topic) == {
        "id": "o-1",
        "total": "-12.50",
        "at": 1767323045000006,
        "day": 31,
        "note": None,
        "seal": "AP8=",
    }


async def test_a_key(registry: Registry, confluent: SchemaRegistryClient) -> None:
    topic = unique("orders")
    serializer = AvroSerializer(confluent, '"long"')
    key = await written(serializer, 7, topic, MessageField.KEY)
    assert await RegistryDecoder(registry, "avro", is_key=True).decode(key, topic) == 7


async def test_avro_with_references(registry: Registry, confluent: SchemaRegistryClient) -> None:
    """A type that refers to one that refers to another, each registered by itself."""
    country, address, topic = unique("country"), unique("address"), unique("orders")

    def register() -> Schema:
        text = '{"type": "enum", "name": "geo.Country", "symbols": ["DE", "FR"]}'
        confluent.register_schema(country, Schema(text, "AVRO"))
        text = json.dumps(
            {
                "type": "record",
                "name": "geo.Address",
                "fields": [{"name": "country", "type": "geo.Country"}],
            }
        )
        near = [SchemaReference("geo.Country", country, 1)]
        confluent.register_schema(address, Schema(text, "AVRO", near))
        text = json.dumps(
            {
                "type": "record",
                "name": "shop.Order",
                "fields": [
                    {"name": "to", "type": "geo.Address"},
                    {"name": "by", "type": ["null", "geo.Country"], "default": None},
                ],
            }
        )
        far = [SchemaReference("geo.Address", address, 1), *near]
        return Schema(text, "AVRO", far)

    schema = await asyncio.to_thread(register)
    order = {"to": {"country": "FR"}, "by": "DE"}
    value = await written(AvroSerializer(confluent, schema), order, topic)
    assert await RegistryDecoder(registry, "avro").decode(value, topic) == order


async def test_a_field_that_came_later_has_its_default(
    registry: Registry, confluent: SchemaRegistryClient
) -> None:
    topic = unique("orders")

    def version(*fields: dict[str, Any]) -> str:
        return json.dumps({"type": "record", "name": "Order", "fields": list(fields)})

    ident = {"name": "id", "type": "string"}
    old = version(ident, {"name": "colour", "type": "string"})
    new = version(ident, {"name": "channel", "type": "string", "default": "shop"})
    before = await written(AvroSerializer(confluent, old), {"id": "1", "colour": "red"}, topic)
    after = await written(AvroSerializer(confluent, new), {"id": "2", "channel": "app"}, topic)

    as_written = RegistryDecoder(registry, "avro")
    assert await as_written.decode(before, topic) == {"id": "1", "colour": "red"}
    assert await as_written.decode(after, topic) == {"id": "2", "channel": "app"}
    for read_as in (
        ReadAsEntry(version=2),
        ReadAsEntry(version="latest"),
        ReadAsEntry(version=2, subject=f"{topic}-value"),
    ):
        pinned = RegistryDecoder(registry, "avro", read_as=read_as)
        assert await pinned.decode(before, topic) == {"id": "1", "channel": "shop"}
        assert await pinned.decode(after, topic) == {"id": "2", "channel": "app"}
    with pytest.raises(RegistryUnavailable, match="version 9"):
        await RegistryDecoder(registry, "avro", read_as=ReadAsEntry(version=9)).decode(
            before, topic
        )


async def test_debeziums_envelope(registry: Registry, confluent: SchemaRegistryClient) -> None:
    topic = unique("shop.public.orders")
    row = {"id": 7, "shop_id": "s-1", "status": "shipped", "total": Decimal("9.90")}
    change = {
        "before": None,
        "after": row,
        "source": {"version": "3.0.0.Final", "connector": "postgresql", "name": "shop",
                   "ts_ms": 1767323045006, "snapshot": "false", "db": "shop",
                   "schema": "public", "table": "orders", "lsn": 33832960},
        "op": "c",
        "ts_ms": 1767323045100,
        "transaction": None,
    }  # fmt: skip
    value = await written(AvroSerializer(confluent, json.dumps(ENVELOPE)), change, topic)
    found = await RegistryDecoder(registry, "avro").decode(value, topic)
    assert found == {**change, "after": {**row, "total": "9.90"}}


@pytest.fixture
async def order_type() -> Any:
    """The class of ORDER_PROTO's second message, as generated code would have it."""
    from pipeline.registry.client import Schema as Registered

    types = await types_of(Registered("PROTOBUF", ORDER_PROTO))
    found = FileDescriptorProto()
    types.message((1,)).file.CopyToProto(found)
    found.name = "shop/order.proto"
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(found)
    return GetMessageClass(pool.FindMessageTypeByName("shop.Order"))


async def test_protobuf_by_confluents_serializer(
    registry: Registry, confluent: SchemaRegistryClient, order_type: Any
) -> None:
    """Also of a message within another, and of one whose index is written by a single byte."""
    topic = unique("orders")
    conf = {"use.deprecated.format": False}
    order = order_type(id="o-1", status="SHIPPED", seal=b"\x00\xff", big=-(2**63))
    order.at.FromJsonString("2026-01-02T03:04:05.006Z")
    order.lines.add(sku="a", count=2)
    value = await written(ProtobufSerializer(order_type, confluent, conf), order, topic)
    decoder = RegistryDecoder(registry, "protobuf")
    assert await decoder.decode(value, topic) == {
        "id": "o-1",
        "status": "SHIPPED",
        "at": "2026-01-02T03:04:05.006Z",
        "lines": [{"sku": "a", "count": 2}],
        "seal": "AP8=",
        "big": -(2**63),
        "note": None,
    }
    line_type = type(order.lines[0])
    line = line_type(sku="b")
    value = await written(ProtobufSerializer(line_type, confluent, conf), line, topic)
    assert await decoder.decode(value, topic) == {"sku": "b", "count": 0}


async def test_protobuf_as_text_with_references(
    registry: Registry, confluent: SchemaRegistryClient
) -> None:
    """As Java's serializer registers it, which has the text."""
    money, topic = unique("money"), unique("orders")
    text = 'syntax = "proto3"; package m; message Money { int64 units = 1; }'
    main = (
        'syntax = "proto3"; import "m/money.proto"; import "google/protobuf/timestamp.proto";'
        "message Order { m.Money total = 1; google.protobuf.Timestamp at = 2; }"
    )

    def register() -> int:
        confluent.register_schema(money, Schema(text, "PROTOBUF"))
        references = [SchemaReference("m/money.proto", money, 1)]
        schema = Schema(main, "PROTOBUF", references)
        number: int = confluent.register_schema(f"{topic}-value", schema)
        return number

    number = await asyncio.to_thread(register)
    value = b"\0" + number.to_bytes(4, "big") + b"\0" + b"\x0a\x02\x08\x07"
    found = await RegistryDecoder(registry, "protobuf").decode(value, topic)
    assert found == {"total": {"units": 7}, "at": None}


async def test_json_by_confluents_serializer(
    registry: Registry, confluent: SchemaRegistryClient
) -> None:
    address, topic = unique("address"), unique("orders")
    text = '{"type": "object", "required": ["zip"], "properties": {"zip": {"type": "string"}}}'
    main = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Order",
        "type": "object",
        "properties": {"id": {"type": "string"}, "to": {"$ref": "address.json"}},
    }

    def register() -> Schema:
        confluent.register_schema(address, Schema(text, "JSON"))
        references = [SchemaReference("address.json", address, 1)]
        return Schema(json.dumps(main), "JSON", references)

    schema = await asyncio.to_thread(register)
    order = {"id": "o-1", "to": {"zip": "10115"}}
    value = await written(JSONSerializer(schema, confluent), order, topic)
    decoder = RegistryDecoder(registry, "json-schema")
    assert await decoder.decode(value, topic) == order
    with pytest.raises(Undecodable, match="contradicts its schema at /to/zip"):
        await decoder.decode(value.replace(b'"10115"', b"10115"), topic)


async def test_what_is_not_registered(registry: Registry, confluent: SchemaRegistryClient) -> None:
    topic = unique("orders")
    value = await written(AvroSerializer(confluent, '"string"'), "a", topic)
    with pytest.raises(Undecodable, match="no schema 987654"):
        await RegistryDecoder(registry, "avro").decode(b"\0" + (987654).to_bytes(4, "big"), topic)
    with pytest.raises(Undecodable, match="is of type AVRO, the source's is PROTOBUF"):
        await RegistryDecoder(registry, "protobuf").decode(value, topic)
    with pytest.raises(Undecodable, match="version 1 of"):
        await registry.by_version(unique("nothing"), 1)
