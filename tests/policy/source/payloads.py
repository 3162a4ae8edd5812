"""Changes of rows as Debezium's connectors write them, by the shapes that its manual shows."""

from typing import Any

import orjson

BEFORE = {
    "id": 1004,
    "first_name": "Anne",
    "last_name": "Kretchmar",
    "email": "annek@noanswer.org",
}
AFTER = BEFORE | {"first_name": "Anne Marie"}
_SOURCE = {
    "version": "3.2.0.Final",
    "name": "mysql-server-1",
    "connector": "mysql",
    "ts_ms": 1465581029100,
    "ts_us": 1465581029100000,
    "ts_ns": 1465581029100000000,
    "snapshot": "false",
    "db": "inventory",
    "table": "customers",
    "server_id": 223344,
    "gtid": None,
    "file": "mysql-bin.000003",
    "pos": 484,
    "row": 0,
    "thread": 7,
    "query": None,
}
_ROW = [
    {"type": "int32", "optional": False, "field": "id"},
    {"type": "string", "optional": False, "field": "first_name"},
    {"type": "string", "optional": False, "field": "last_name"},
    {"type": "string", "optional": False, "field": "email"},
]
SCHEMA = {
    "type": "struct",
    "fields": [
        {
            "type": "struct",
            "fields": _ROW,
            "optional": True,
            "name": "mysql-server-1.inventory.customers.Value",
            "field": each,
        }
        for each in ("before", "after")
    ],
    "optional": False,
    "name": "mysql-server-1.inventory.customers.Envelope",
}
KEY = {
    "schema": {
        "type": "struct",
        "name": "mysql-server-1.inventory.customers.Key",
        "optional": False,
        "fields": [{"field": "id", "type": "int32", "optional": False}],
    },
    "payload": {"id": 1004},
}


def change(
    operation: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    *,
    schema: bool = False,
) -> bytes:
    """The value of such a change, with its schema beside it or without."""
    payload = {
        "before": before,
        "after": after,
        "source": _SOURCE,
        "op": operation,
        "ts_ms": 1465581029523,
        "transaction": None,
    }
    return orjson.dumps({"schema": SCHEMA, "payload": payload} if schema else payload)
