"""How Confluent's serializers frame a record: which schema wrote it, then what it wrote.

A zero byte, the schema's id in four bytes with the highest first, and the rest is the format's. Of
Protobuf it begins with which message of the schema it is.
"""

from policy.source.decoding import Undecodable

MAGIC = 0
HEAD = 5
"""Bytes in front of what the format wrote."""
DEEPEST_MESSAGE = 32
"""How far in other messages' definitions that of a record's message may be."""


def schema_id(value: bytes) -> int:
    """The id of the schema that a framed record names; raises Undecodable."""
    if not value:
        raise Undecodable("the record has no bytes, so it names no schema")
    if value[0] != MAGIC:
        seems = "; it looks like JSON without a schema" if value[:1] in b"{[" else ""
        raise Undecodable(
            f"the first byte is 0x{value[0]:02x}, and 0x00 in what a registry's serializer writes"
            f"{seems}"
        )
    if len(value) < HEAD:
        raise Undecodable(f"{len(value)} bytes are too few to name a schema")
    return int.from_bytes(value[1:HEAD], "big")


def message_path(value: bytes) -> tuple[tuple[int, ...], int]:
    """Which message a framed Protobuf record is, by indexes of definitions from the outermost on,
    and where its own bytes begin; raises Undecodable.
    """
    count, at = _number(value, HEAD)
    if count == 0:
        return (0,), at
    if not 0 < count <= DEEPEST_MESSAGE:
        raise Undecodable(f"its message is said to be defined {count} levels deep")
    path = []
    for _ in range(count):
        index, at = _number(value, at)
        path.append(index)
    return tuple(path), at


def _number(value: bytes, at: int) -> tuple[int, int]:
    """A zigzag number of variable length, and where it ends."""
    found = 0
    for shift in range(0, 35, 7):
        if at >= len(value):
            raise Undecodable("it ends before it says which message it is")
        byte = value[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (found >> 1) ^ -(found & 1), at
    raise Undecodable("which message it is takes more than five bytes to say")
