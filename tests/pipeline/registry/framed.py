"""Records as Confluent's serializers frame them, of a schema with the id 1."""

import io
import json
from typing import Any

import fastavro

HEAD = b"\x00\x00\x00\x00\x01"


def avro_record(schema: Any, value: Any) -> bytes:
    """A value by fastavro's own writer."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(json.dumps(schema))), value)
    return HEAD + stream.getvalue()


def number(value: int) -> bytes:
    """As Avro writes integers, and Protobuf its message indexes."""
    left = value << 1 if value >= 0 else ((-value) << 1) - 1
    return varint(left)


def varint(left: int) -> bytes:
    """As Protobuf writes tags and lengths."""
    written = b""
    while left > 127:
        written += bytes([left & 127 | 128])
        left >>= 7
    return written + bytes([left])
