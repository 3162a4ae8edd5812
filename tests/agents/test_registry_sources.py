"""A company's own topics whose records name their schema in a registry."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from click.testing import CliRunner, Result
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from prometheus_client import REGISTRY

from agents.intake import source_reading
from cli.main import tocsin
from pipeline.records.dead_letter_reading import send_again
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.misplaced import Misplaced
from schemas.topics import PLACED
from schemas.vocabulary import Reason
from tests.agents.company import Company
from tests.agents.stage import CATALOGUE, Stage
from tests.patience import until, until_told
from tests.pipeline.registry.apicurio import Apicurio
from tests.pipeline.registry.door import Door
from tests.pipeline.registry.schemas import ENVELOPE

SOURCE = """
[sources.{name}]
topics = ["{topic}"]
format = "{format}"
into = "events"
start = "beginning"
{more}
[sources.{name}.set]
type = "order.shipped"
actor = "{{{{ {actor} }}}}"
data = {{ customer_id = "c", order_id = "{{{{ {order} }}}}", carrier = "{{{{ {carrier} }}}}" }}
"""
FIELDS = {"actor": "shop", "order": "order", "carrier": "carrier", "more": ""}
ORDER = {
    "type": "record",
    "name": "Order",
    "fields": [
        {"name": "shop", "type": "string"},
        {"name": "order", "type": "long"},
        {"name": "carrier", "type": "string"},
    ],
}
JSON_ORDER = {
    "title": "Order",
    "type": "object",
    "properties": {
        "shop": {"type": "string"},
        "order": {"type": "integer"},
        "carrier": {"type": "string"},
    },
}


@pytest.fixture
async def door(apicurio: Apicurio) -> AsyncIterator[Door]:
    """The way to the registry, open."""
    async with Door(beyond=apicurio.url) as door:
        yield door


@pytest.fixture
def confluent(apicurio: Apicurio) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": apicurio.url}) as client:
        yield client


@pytest.fixture
async def company(
    stage: Stage, door: Door, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Company]:
    """A company that the intake reads by way of the door."""
    monkeypatch.setattr(source_reading, "PAUSE", 0.05)
    monkeypatch.setattr("pipeline.registry.client.QUIET", 0.0)
    monkeypatch.setattr("pipeline.registry.client.AGAIN", 0.0)
    reaches = stage.settings.model_copy(update={"schema_registry": door.url})
    stage.runtime = replace(stage.runtime, settings=reaches)
    made = Company(stage)
    await made.create(1)
    yield made


def order(number: int) -> dict[str, Any]:
    return {"shop": f"s-{number % 3}", "order": number, "carrier": "UPS"}


async def written(
    serializer: Any, topic: str, *values: Any, field: str = MessageField.VALUE
) -> list[bytes]:
    """What Confluent's serializer, which blocks, makes of these."""
    context = SerializationContext(topic, field)
    return [await asyncio.to_thread(serializer, value, context) for value in values]


async def events(stage: Stage) -> list[Mapping[str, Any]]:
    """What the sources made of their records."""
    found = await stage.read(PLACED["router"], Misplaced)
    return [orjson.loads(bytes(each.value)) for each in found]


async def orders(stage: Stage) -> list[tuple[str, str, str]]:
    """Of each event its actor, its order and the carrier."""
    return sorted(
        (each["actor"], str(each["data"]["order_id"]), each["data"]["carrier"])
        for each in await events(stage)
    )


def order_type() -> Any:
    """A message as generated code has it."""
    file = FileDescriptorProto(name="shop/order.proto", package="shop", syntax="proto3")
    message = file.message_type.add(name="Order")
    for number, (name, kind) in enumerate([("shop", 9), ("order", 3), ("carrier", 9)], 1):
        message.field.add(name=name, number=number, type=kind, label=1)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("shop.Order"))


@pytest.mark.parametrize("form", ["avro", "protobuf", "json-schema"])
async def test_what_confluents_serializers_write_becomes_events(
    stage: Stage, company: Company, confluent: SchemaRegistryClient, form: str
) -> None:
    values: list[Any] = [order(number) for number in range(5)]
    if form == "avro":
        serializer: Any = AvroSerializer(confluent, json.dumps(ORDER))
    elif form == "json-schema":
        serializer = JSONSerializer(json.dumps(JSON_ORDER), confluent)
    else:
        kind = order_type()
        serializer = ProtobufSerializer(kind, confluent, {"use.deprecated.format": False})
        values = [kind(**each) for each in values]
    await company.write(*await written(serializer, company.topic, *values))
    async with company.reading(company.catalogue(SOURCE, format=form, **FIELDS)):
        await company.caught_up()
    assert await orders(stage) == sorted((f"s-{each % 3}", str(each), "UPS") for each in range(5))
    assert await stage.letters() == []


async def test_debeziums_changes_and_their_keys(
    stage: Stage, company: Company, confluent: SchemaRegistryClient
) -> None:
    source = {"version": "3.0.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": 5,
              "snapshot": "false", "db": "shop", "schema": "public", "table": "orders"}  # fmt: skip
    row = {"id": 7, "shop_id": "s-1", "status": "shipped", "total": Decimal("9.90")}
    changes = [
        {"before": None, "after": row, "source": source, "op": "c"},
        {"before": row, "after": None, "source": source, "op": "d"},
        {"before": None, "after": row | {"status": "new"}, "source": source, "op": "c"},
    ]
    serializer = AvroSerializer(confluent, json.dumps(ENVELOPE))
    values = await written(serializer, company.topic, *changes)
    key = {"type": "record", "name": "Key", "fields": [{"name": "id", "type": "int"}]}
    keys = await written(
        AvroSerializer(confluent, json.dumps(key)), company.topic, {"id": 7},
        field=MessageField.KEY,
    )  # fmt: skip
    told: Any = [*keys, *keys, *keys, *keys]
    await company.write(*values, None, keys=told)
    catalogue = company.catalogue(
        SOURCE, format="debezium+avro", actor="after.shop_id", order="key.id",
        carrier="after.total", more="key_format = 'avro'\nwhen = \"after.status == 'shipped'\"",
    )  # fmt: skip
    async with company.reading(catalogue):
        await company.caught_up()
    assert await orders(stage) == [("s-1", "7", "9.90")]
    assert await stage.letters() == []


async def test_records_of_before_have_the_fields_of_the_schema_that_is_pinned(
    stage: Stage, company: Company, confluent: SchemaRegistryClient
) -> None:
    old = ORDER | {"fields": ORDER["fields"][:2]}
    late = {"name": "carrier", "type": "string", "default": "DHL"}
    new = ORDER | {"fields": [*ORDER["fields"][:2], late]}
    before = await written(AvroSerializer(confluent, json.dumps(old)), company.topic, order(1))
    after = await written(AvroSerializer(confluent, json.dumps(new)), company.topic, order(2))
    await company.write(*before, *after)
    more = FIELDS | {"more": "read_as = { version = 2 }"}
    async with company.reading(company.catalogue(SOURCE, format="avro", **more)):
        await company.caught_up()
    assert await orders(stage) == [("s-1", "1", "DHL"), ("s-2", "2", "UPS")]


def waiting(company: Company) -> float | None:
    return REGISTRY.get_sample_value("tocsin_source_waiting", {"source": company.source})


async def test_while_the_registry_is_away_records_wait(
    stage: Stage,
    company: Company,
    confluent: SchemaRegistryClient,
    door: Door,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At the start, and when a schema comes that is new; what is known is read on meanwhile."""
    caplog.set_level(logging.WARNING, "agents.intake.source_reading")
    first = AvroSerializer(confluent, json.dumps(ORDER))
    await door.close()
    await company.write(*await written(first, company.topic, order(1), order(2)))
    async with company.reading(company.catalogue(SOURCE, format="avro", **FIELDS)):
        await until(lambda: waiting(company) == 1)
        assert await events(stage) == []
        await door.open()
        await until_told(lambda: orders(stage), lambda found: len(found) == 2)
        await until(lambda: waiting(company) == 0)
        await door.close()
        await company.write(*await written(first, company.topic, order(3)))
        await until_told(lambda: orders(stage), lambda found: len(found) == 3)
        new = ORDER | {"fields": [*ORDER["fields"], {"name": "n", "type": "int", "default": 0}]}
        second = AvroSerializer(confluent, json.dumps(new))
        await company.write(*await written(second, company.topic, order(4) | {"n": 1}))
        await company.write(*await written(first, company.topic, order(5)))
        await until(lambda: waiting(company) == 1)
        assert len(await orders(stage)) == 3, "the last record overtook the one before it"
        await door.open()
        await company.caught_up()
    assert [each[1] for each in sorted(await orders(stage), key=lambda each: each[1])] == list(
        "12345"
    )
    assert await stage.letters() == []
    said = [each.getMessage() for each in caplog.records if company.source in each.getMessage()]
    assert len(said) == 2
    assert all("waits: The schema registry can't be asked for schema" in each for each in said)
    assert waiting(company) == 0


async def test_without_a_registry_in_the_settings_records_wait(
    stage: Stage, company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = stage.settings.model_copy(update={"schema_registry": ""})
    stage.runtime = replace(stage.runtime, settings=nowhere)
    await company.write(b"\x00\x00\x00\x00\x01\x02a")
    async with company.reading(company.catalogue(SOURCE, format="avro", **FIELDS)):
        await until(lambda: waiting(company) == 1)
    assert "TOCSIN_SCHEMA_REGISTRY names none" in caplog.text
    assert await stage.letters() == []


async def test_what_can_not_be_read_is_a_dead_letter_with_its_bytes(
    stage: Stage, company: Company, confluent: SchemaRegistryClient
) -> None:
    (good,) = await written(AvroSerializer(confluent, json.dumps(ORDER)), company.topic, order(1))
    bad = {
        b'{"shop": "s"}': "it looks like JSON",
        b"\x00\x7f\xff\xff\xff\x02a": "the registry has no schema 2147483647",
        good[:-1]: "it ends before",
        good + b"\x00": "1 bytes are left over",
        b"": "no bytes",
    }
    await company.write(*bad, good)
    async with company.reading(company.catalogue(SOURCE, format="avro", **FIELDS)):
        await company.caught_up()
    assert await orders(stage) == [("s-1", "1", "UPS")]
    letters = await stage.letters()
    assert {each.reason for each in letters} == {Reason.UNDECODABLE}
    for letter, (value, said) in zip(letters, bad.items(), strict=True):
        assert letter.value == value
        assert said in letter.detail


async def test_a_schema_that_breaks_the_mapping_costs_its_own_records_alone(
    stage: Stage, company: Company, confluent: SchemaRegistryClient
) -> None:
    """A field has another name, or another type; letters say which, and keep the bytes."""
    store = {"name": "store", "type": "string"}
    renamed = ORDER | {"fields": [store, *ORDER["fields"][1:]]}
    kind = {"type": "record", "name": "Shop", "fields": [{"name": "id", "type": "string"}]}
    nested = ORDER | {"fields": [{"name": "shop", "type": kind}, *ORDER["fields"][1:]]}
    without = {name: order(2)[name] for name in ("order", "carrier")} | {"store": "s"}
    values: list[bytes] = []
    for number, (schema, value) in enumerate(
        [(ORDER, order(1)), (renamed, without), (nested, order(3) | {"shop": {"id": "s"}})]
    ):
        # Each under a subject of its own, as the registry would refuse it beside the others.
        subject = f"{company.topic}.{number}"
        values += await written(AvroSerializer(confluent, json.dumps(schema)), subject, value)
    await company.write(*values, values[0])
    async with company.reading(company.catalogue(SOURCE, format="avro", **FIELDS)):
        await company.caught_up()
    assert await orders(stage) == [("s-1", "1", "UPS")] * 2
    missing, other = await stage.letters()
    assert (missing.value, missing.reason) == (values[1], Reason.INVALID)
    assert "set.actor gave nothing" in missing.detail
    assert (other.value, other.reason) == (values[2], Reason.INVALID)
    assert "Expected `str`, got `object` - at `$.actor`" in other.detail


async def test_a_dead_letter_is_sent_again_by_the_registry(
    stage: Stage, company: Company, confluent: SchemaRegistryClient, tmp_path: Path, door: Door
) -> None:
    """Once the mapping is mended: the original is read by its schema once more."""
    await company.write(
        *await written(AvroSerializer(confluent, json.dumps(ORDER)), company.topic, order(1))
    )
    wrong = FIELDS | {"actor": "shop.name"}
    async with company.reading(company.catalogue(SOURCE, format="avro", **wrong)):
        await company.caught_up()
    letters = await stage.letters()
    assert [each.reason for each in letters] == [Reason.INVALID]
    for path in CATALOGUE.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text())
    text = SOURCE.format(name=company.source, topic=company.topic, format="avro", **FIELDS)
    (tmp_path / "orders.toml").write_text(text)
    here = stage.runtime.settings.model_copy(update={"catalogue": tmp_path})
    assert await send_again(here, letters) == (1, 0)
    (again,) = await stage.read(PLACED["router"], Misplaced)
    event = msgspec.json.decode(bytes(again.value), type=Event)
    assert (event.actor, event.data["order_id"]) == ("s-1", 1)
    await door.close()
    with pytest.raises(Unavailable, match="once it answers"):
        await send_again(here, letters)


async def test_commands_read_by_the_registry(
    company: Company, confluent: SchemaRegistryClient, tmp_path: Path, door: Door
) -> None:
    """What is drafted from a topic can be tried at once."""
    serializer = AvroSerializer(confluent, json.dumps(ORDER))
    await company.write(*await written(serializer, company.topic, order(1), order(2)), b"{}")
    for path in CATALOGUE.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text())
    reach = {"TOCSIN_KAFKA": company.kafka, "TOCSIN_CATALOGUE": str(tmp_path)}

    async def tocsin_sources(*argv: str, registry: str = door.url) -> Result:
        variables = reach | {"TOCSIN_SCHEMA_REGISTRY": registry}
        said = "sources", *argv
        return await asyncio.to_thread(CliRunner().invoke, tocsin, said, env=variables)

    drafted = await tocsin_sources("infer", company.topic)
    assert 'format = "avro"' in drafted.stdout, drafted.exception
    assert 'actor = "{{ shop }}"' in drafted.stdout
    (tmp_path / "orders.toml").write_text(drafted.stdout)
    name = company.topic.replace(".", "_").replace("-", "_").lower()
    tried = await tocsin_sources("try", name)
    assert tried.stdout.startswith("3 records: 2 moved, 1 dead."), tried.output
    for argv in (("try", name), ("infer", company.topic)):
        without = await tocsin_sources(*argv, registry="")
        assert "TOCSIN_SCHEMA_REGISTRY" in str(without.exception)
    await door.close()
    for argv in (("try", name), ("infer", company.topic)):
        away = await tocsin_sources(*argv)
        assert isinstance(away.exception, Unavailable)
