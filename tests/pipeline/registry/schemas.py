"""Schemas as companies have them."""

from typing import Any

ROW: dict[str, Any] = {
    "type": "record",
    "name": "Value",
    "fields": [
        {"name": "id", "type": {"type": "int", "connect.default": 0}, "default": 0},
        {"name": "shop_id", "type": ["null", "string"], "default": None},
        {
            "name": "status",
            "type": {
                "type": "string",
                "connect.version": 1,
                "connect.parameters": {"allowed": "new,shipped"},
                "connect.name": "io.debezium.data.Enum",
            },
        },
        {
            "name": "total",
            "type": {
                "type": "bytes",
                "scale": 2,
                "precision": 10,
                "connect.version": 1,
                "connect.parameters": {"scale": "2", "connect.decimal.precision": "10"},
                "connect.name": "org.apache.kafka.connect.data.Decimal",
                "logicalType": "decimal",
            },
        },
    ],
    "connect.name": "shop.public.orders.Value",
}
ENVELOPE: dict[str, Any] = {
    "type": "record",
    "name": "Envelope",
    "namespace": "shop.public.orders",
    "fields": [
        {"name": "before", "type": ["null", ROW], "default": None},
        {"name": "after", "type": ["null", "Value"], "default": None},
        {
            "name": "source",
            "type": {
                "type": "record",
                "name": "Source",
                "namespace": "io.debezium.connector.postgresql",
                "fields": [
                    {"name": "version", "type": "string"},
                    {"name": "connector", "type": "string"},
                    {"name": "name", "type": "string"},
                    {"name": "ts_ms", "type": "long"},
                    {
                        "name": "snapshot",
                        "type": [{"type": "string", "connect.default": "false"}, "null"],
                        "default": "false",
                    },
                    {"name": "db", "type": "string"},
                    {"name": "schema", "type": "string"},
                    {"name": "table", "type": "string"},
                    {"name": "lsn", "type": ["null", "long"], "default": None},
                ],
                "connect.name": "io.debezium.connector.postgresql.Source",
            },
        },
        {
            "name": "transaction",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "block",
                    "namespace": "event",
                    "fields": [{"name": "id", "type": "string"}],
                    "connect.version": 1,
                    "connect.name": "event.block",
                },
            ],
            "default": None,
        },
        {"name": "op", "type": "string"},
        {"name": "ts_ms", "type": ["null", "long"], "default": None},
    ],
    "connect.version": 2,
    "connect.name": "shop.public.orders.Envelope",
}
"""A change of a row as Debezium for PostgreSQL registers it, by Connect's Avro converter."""

ORDER_PROTO = """
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";

message Unused {}

message Order {
  message Line {
    string sku = 1;
    int32 count = 2;
  }
  enum Status {
    UNKNOWN = 0;
    SHIPPED = 1;
  }
  string id = 1;
  Status status = 2;
  google.protobuf.Timestamp at = 3;
  repeated Line lines = 4;
  bytes seal = 5;
  int64 big = 6;
  optional string note = 7;
}
"""
