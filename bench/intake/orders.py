"""A company's own topic: changes of its orders as Debezium tells them, and the source of them."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import fastavro
import orjson

from pipeline.registry.framing import HEAD, MAGIC
from policy.catalogue.catalogue import Catalogue, parse

PARTITIONS = 4
FORMS = ("json", "avro")
BATCHED = "-batched"
"""Behind the form, in the name of a loop that writes with our producer."""
SCHEMA_ID = 7
SOURCE = "orders"
_SHOPS = 2000
_BEGAN = 1_773_480_389_589

_ROW = {
    "type": "record",
    "name": "Value",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "shop_id", "type": "long"},
        {"name": "customer_id", "type": "string"},
        {"name": "status", "type": "string"},
        {"name": "total_cents", "type": "long"},
    ],
}
_FROM = {
    "type": "record",
    "name": "Source",
    "fields": [
        {"name": "version", "type": "string"},
        {"name": "connector", "type": "string"},
        {"name": "name", "type": "string"},
        {"name": "ts_ms", "type": "long"},
        {"name": "db", "type": "string"},
        {"name": "schema", "type": "string"},
        {"name": "table", "type": "string"},
        {"name": "lsn", "type": ["null", "long"], "default": None},
    ],
}
ENVELOPE = {
    "type": "record",
    "name": "Envelope",
    "namespace": "shop.public.orders",
    "fields": [
        {"name": "before", "type": ["null", _ROW], "default": None},
        {"name": "after", "type": ["null", "Value"], "default": None},
        {"name": "source", "type": _FROM},
        {"name": "op", "type": "string"},
        {"name": "ts_ms", "type": ["null", "long"], "default": None},
    ],
}
"""The schema that Connect's converter registers for such a table."""
SCHEMA = fastavro.parse_schema(ENVELOPE)

_CATALOGUE = """
event = "order.shipped"

[sources.orders]
topics = ["shop.orders.{form}"]
format = "debezium+{form}"
into = "events"
start = "beginning"
when = "before.status != 'shipped' and after.status == 'shipped'"

[sources.orders.set]
type = "order.shipped"
actor = "{{{{ after.shop_id }}}}"
occurred_at = "{{{{ source.ts_ms | epoch_ms }}}}"
tenant = "{{{{ headers['x-tenant'] or 'default' }}}}"
data = {{ customer_id = "{{{{ after.customer_id }}}}", order_id = "{{{{ after.id }}}}" }}

[types.order_shipped]
category = "orders"
priority = "high"
channels = ["push"]
users = "customer_id"
time_to_live = 86400

[types.order_shipped.templates.push]
title = "Your order is on its way"
body = "Order {{{{ data.order_id }}}} was picked up."
"""


def topic(form: str) -> str:
    """Where the company writes in this form."""
    return f"shop.orders.{form}"


def rekeyed(form: str) -> str:
    """Where a bare loop of this name writes."""
    return f"rekeyed.{form}"


def catalogue(form: str) -> Catalogue:
    """The one source, and the type of what it makes."""
    return parse({"orders.toml": _CATALOGUE.format(form=form)})


def registered() -> bytes:
    """What a registry says of the schema."""
    return json.dumps({"schema": json.dumps(ENVELOPE)}).encode()


def orders(count: int, form: str) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of so many records, the same whichever form they are in.

    The key is the row's, so that another partition is the actor's for most.
    """
    encode = _ENCODERS[form]
    for number in range(count):
        row = {
            "id": number,
            "shop_id": number * 7919 % _SHOPS,
            "customer_id": f"customer-{number % 50_000:06}",
            "status": "paid",
            "total_cents": 1000 + number % 9000,
        }
        change = {
            "before": row,
            "after": row | {"status": "shipped"},
            "source": {
                "version": "3.0.0.Final",
                "connector": "postgresql",
                "name": "shop",
                "ts_ms": _BEGAN + number,
                "db": "shop",
                "schema": "public",
                "table": "orders",
                "lsn": 24_023_128 + number,
            },
            "op": "u",
            "ts_ms": _BEGAN + number + 40,
        }
        yield b'{"id":%d}' % number, encode(change)


def in_avro(value: bytes) -> Any:
    """The change in a framed record, of this schema alone."""
    stream = io.BytesIO(value)
    stream.seek(HEAD)
    return fastavro.schemaless_reader(stream, SCHEMA)


def _avro(change: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    stream.write(bytes([MAGIC]) + SCHEMA_ID.to_bytes(HEAD - 1, "big"))
    fastavro.schemaless_writer(stream, SCHEMA, change)
    return stream.getvalue()


_ENCODERS: dict[str, Callable[[dict[str, Any]], bytes]] = {"json": orjson.dumps, "avro": _avro}
READERS: dict[str, Callable[[bytes], Any]] = {"json": orjson.loads, "avro": in_avro}
"""By form, what a program that knows it reads its records with."""
