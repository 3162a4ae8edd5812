"""An Avro schema as we read by it, so that what is read is plain.

fastavro turns logical types into dates and decimals, which no expression and no JSON knows, and
takes time without end for a decimal of a megabyte. So the schema says other logical types, ours,
which fastavro hands to the functions below; times of all kinds stay the integers that they are.
"""

import base64
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from fastavro.read import LOGICAL_READERS

from policy.source.decoding import Undecodable

DEEPEST = 64
"""Levels of a schema in itself; each takes some of the stack."""
MOST_SCALE = 1000
"""Digits of a decimal after its point."""
MOST_DECIMAL_BYTES = 1024
"""Of an unscaled decimal: some 2,500 digits. Turning a number into digits takes time by the square
of its length."""
BASE64, DECIMAL, UUID, DURATION = (
    f"tocsin-{name}" for name in ("base64", "decimal", "uuid", "duration")
)
_BYTES = {"type": "bytes", "logicalType": BASE64}

Node = Any
"""Of a schema: a name, a union's list, or an object."""


def rewritten(text: str) -> Node:
    """The schema in our terms, without what no reader needs; raises Undecodable."""
    try:
        return _rewritten(msgspec.json.decode(text), 0)
    except Undecodable:
        raise
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Undecodable(f"its Avro schema is no JSON that can be read ({error})") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Undecodable(f"its Avro schema is none ({error!r})") from None


def decimal_text(data: bytes, scale: int) -> str:
    """An unscaled number, highest byte first, with its point; exact, and with all of its digits."""
    if len(data) > MOST_DECIMAL_BYTES:
        raise Undecodable(f"a decimal has {len(data)} bytes, {MOST_DECIMAL_BYTES} are allowed")
    unscaled = int.from_bytes(data, "big", signed=True)
    digits = str(abs(unscaled)).rjust(scale + 1, "0")
    sign = "-" if unscaled < 0 else ""
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else f"{sign}{digits}"


def without_defaults(node: Node) -> Node:
    """As who wrote needs it. Some registries have taken defaults that are none of their type."""
    if isinstance(node, list):
        return [without_defaults(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if key != "default"}
    for key in ("type", "items", "values"):
        if key in kept:
            kept[key] = without_defaults(kept[key])
    if "fields" in kept:
        kept["fields"] = [without_defaults(each) for each in kept["fields"]]
    return kept


def _rewritten(node: Node, depth: int) -> Node:
    if depth > DEEPEST:
        raise Undecodable(f"its schema is more than {DEEPEST} levels deep")
    if isinstance(node, str):
        return _BYTES if node == "bytes" else node
    if isinstance(node, list):
        return [_rewritten(each, depth + 1) for each in node]
    kind = node["type"]
    if isinstance(kind, (dict, list)):
        return _rewritten(kind, depth + 1)
    change = _CHANGES.get(kind)
    # What is no type that takes more words is a primitive one, or a name.
    return change(node, depth) if change is not None else kind


def _record(node: Node, depth: int) -> Node:
    fields = []
    for field in node["fields"]:
        kind = _rewritten(field["type"], depth + 1)
        if not isinstance(field["name"], str):
            raise ValueError("a field whose name is no text")
        kept = {"name": field["name"], "type": kind}
        if "aliases" in field:
            kept["aliases"] = field["aliases"]
        if "default" in field:
            kept["default"] = _default(kind, field["default"])
        fields.append(kept)
    return {"type": node["type"], "fields": fields, **_named(node)}


def _default(node: Node, value: Any) -> Any:
    """A default as it would be if it was written: Avro has bytes as text of their characters."""
    if not isinstance(value, str):
        return value
    kinds = node if isinstance(node, list) else [node]
    for kind in kinds:
        if not isinstance(kind, dict):
            if kind == "string":
                return value
            continue
        read = _READERS.get(f"{kind['type']}-{kind.get('logicalType')}")
        if read is not None:
            return read(value.encode("latin-1"), kind, None)
    return value


def _array(node: Node, depth: int) -> Node:
    return {"type": "array", "items": _rewritten(node["items"], depth + 1)}


def _map(node: Node, depth: int) -> Node:
    return {"type": "map", "values": _rewritten(node["values"], depth + 1)}


def _enum(node: Node, depth: int) -> Node:
    symbols = {"default": node["default"]} if "default" in node else {}
    return {"type": "enum", "symbols": node["symbols"], **symbols, **_named(node)}


def _fixed(node: Node, depth: int) -> Node:
    size = node["size"]
    if type(size) is not int or size < 0:
        raise ValueError(f"a fixed of size {size!r}")
    logical = node.get("logicalType")
    ours = {"logicalType": BASE64}
    if logical == "decimal" and _has_scale(node):
        ours = _decimal_of(node)
    elif (logical, size) == ("uuid", 16):
        ours = {"logicalType": UUID}
    elif (logical, size) == ("duration", 12):
        ours = {"logicalType": DURATION}
    return {"type": "fixed", "size": size, **ours, **_named(node)}


def _bytes(node: Node, depth: int) -> Node:
    if node.get("logicalType") == "decimal" and _has_scale(node):
        return {"type": "bytes", **_decimal_of(node)}
    return _BYTES


def _has_scale(node: Node) -> bool:
    scale, precision = node.get("scale", 0), node.get("precision")
    # By Avro's rules a logical type that makes no sense is none.
    return type(scale) is int and type(precision) is int and 0 <= scale <= MOST_SCALE


def _decimal_of(node: Node) -> dict[str, Any]:
    return {"logicalType": DECIMAL, "scale": node.get("scale", 0)}


def _named(node: Node) -> dict[str, Any]:
    if not isinstance(node["name"], str) or not isinstance(node.get("namespace", ""), str):
        raise ValueError("a name that is no text")
    return {key: node[key] for key in ("name", "namespace", "aliases") if key in node}


_CHANGES: dict[str, Callable[[Node, int], Node]] = {
    "record": _record,
    "error": _record,
    "array": _array,
    "map": _map,
    "enum": _enum,
    "fixed": _fixed,
    "bytes": _bytes,
}


def _read_base64(data: bytes, writer: Node, reader: Node) -> str:
    if reader == "string":
        return data.decode()
    return base64.b64encode(data).decode()


def _read_decimal(data: bytes, writer: Node, reader: Node) -> str:
    return decimal_text(data, writer["scale"])


def _read_uuid(data: bytes, writer: Node, reader: Node) -> str:
    return str(uuid.UUID(bytes=data))


def _read_duration(data: bytes, writer: Node, reader: Node) -> dict[str, int]:
    numbers = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
    return dict(zip(("months", "days", "milliseconds"), numbers, strict=True))


_READERS: dict[str, Callable[[bytes, Node, Node], Any]] = {
    f"bytes-{BASE64}": _read_base64,
    f"bytes-{DECIMAL}": _read_decimal,
    f"fixed-{BASE64}": _read_base64,
    f"fixed-{DECIMAL}": _read_decimal,
    f"fixed-{UUID}": _read_uuid,
    f"fixed-{DURATION}": _read_duration,
}
LOGICAL_READERS.update(_READERS)
