"""Avro records, by the schema that wrote them or by one that is chosen for reading."""

import base64
import io
from collections.abc import Callable
from typing import Any

import fastavro
from fastavro.schema import parse_schema

from pipeline.registry.avro_limits import Limits
from pipeline.registry.avro_schema import Node, rewritten, without_defaults
from pipeline.registry.client import MOST_SAID, Schema
from pipeline.registry.framing import HEAD
from policy.source.decoding import Undecodable

VALUE = "value"
ROOT = "_tocsin_root"
"""A record around each schema, so that a schema may be of any type: a name, a union, a number. On
the wire it takes no byte."""


def avro_reader(writer: Schema, reader: Schema | None = None) -> Callable[[bytes], object]:
    """What reads framed records of `writer`, as `reader` has them if there is one.

    Values are dicts, lists, text, integers, floats, booleans and None. Bytes are base64; decimals
    are text with all digits; times, dates and the like are the integers that are written, of the
    schema's unit; a duration has months, days and milliseconds. Of a reader's schema a field that
    was not written has its default.

    Raises Undecodable, as what it returns does.
    """
    written, names = _parsed(writer, is_reader=False)
    read = None
    if reader is not None and (reader.text, reader.references) != (writer.text, writer.references):
        read, _ = _parsed(reader, is_reader=True)
    limits = Limits(written, names, is_skipped=read is not None)

    def decode(value: bytes) -> object:
        limits.check(value, HEAD)
        stream = io.BytesIO(value)
        stream.seek(HEAD)
        try:
            found: Any = fastavro.schemaless_reader(stream, written, read)
        except Undecodable:
            raise
        except EOFError:
            raise Undecodable("it ends before all that its schema says is there") from None
        except Exception as error:
            # fastavro has no error of its own: wrong branches, characters, and what doesn't fit
            # a reader's schema are IndexError, KeyError, ValueError and others.
            raise Undecodable(f"it is not what its schema says ({_said(error)})") from None
        if (end := stream.tell()) != len(value):
            raise Undecodable(f"{len(value) - end} bytes are left over behind what its schema says")
        return found[VALUE] if read is None else _plain(found[VALUE])

    return decode


def _parsed(schema: Schema, *, is_reader: bool) -> tuple[Node, dict[str, Node]]:
    """As fastavro reads by it, with all named types by their names."""
    names: dict[str, Any] = {}

    def parsed(node: Node) -> Node:
        return parse_schema(node if is_reader else without_defaults(node), named_schemas=names)

    try:
        for _, text in schema.references:
            parsed(rewritten(text))
        field = {"name": VALUE, "type": rewritten(schema.text)}
        return parsed({"type": "record", "name": ROOT, "fields": [field]}), names
    except Undecodable:
        raise
    except Exception as error:
        # Of its own errors and of Python's, for whatever is not of Avro's form.
        raise Undecodable(f"its Avro schema can't be used ({_said(error)})") from None


def _plain(value: Any) -> Any:
    """Without bytes, which text becomes where the reader wants them, and with defaults that are
    this record's own."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:MOST_SAID]
