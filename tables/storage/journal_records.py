"""The changelog's own records: outputs that are to be sent, and large writes in parts.

Their keys begin with bytes that no table has. Each belongs to a small number that is used again
once it is free, so compaction leaves at most a few of them.

- *Outputs* of a batch stand in the same write as its state, until it is noted that they were sent.
- A write of more than one batch of the producer is cut into *parts*. Nothing of it counts until it
  is *complete*. Parts bear a token, so that what an earlier write left behind is never taken for
  part of a later one.
"""

import msgspec
from msgspec import Struct

from pipeline.producing.outputs import Records
from pipeline.producing.write_queue import Entry

OUTPUTS, PART, COMPLETE = b"\x02", b"\x03", b"\x04"
OWN = (OUTPUTS, PART, COMPLETE)
"""What the keys of these records begin with."""
ABOVE_OWN = b"\x05"
"""No key of theirs is as large as this; all that tables have are larger."""
TOKEN_BYTES = 8
NUMBER_BYTES, PLACE_BYTES = 2, 4


class LargeWrite(Struct, frozen=True, array_like=True):
    """All that a write in parts says: state and frontier, and the outputs that follow it."""

    entries: list[Entry]
    outputs: Records


class Completion(Struct, frozen=True, array_like=True):
    """How many parts there are, and which token they bear."""

    token: bytes
    parts: int


encode = msgspec.msgpack.Encoder().encode
decode_outputs = msgspec.msgpack.Decoder(Records).decode
decode_large_write = msgspec.msgpack.Decoder(LargeWrite).decode
decode_completion = msgspec.msgpack.Decoder(Completion).decode


def key_of_outputs(number: int) -> bytes:
    """Where the outputs of a batch stand."""
    return OUTPUTS + number.to_bytes(NUMBER_BYTES, "big")


def key_of_completion(number: int) -> bytes:
    """Where it stands that all parts of a write are there."""
    return COMPLETE + number.to_bytes(NUMBER_BYTES, "big")


def key_of_part(number: int, place: int) -> bytes:
    """Where a part of a write stands."""
    return PART + number.to_bytes(NUMBER_BYTES, "big") + place.to_bytes(PLACE_BYTES, "big")


def number_of(key: bytes) -> int:
    """The number that a key of these belongs to."""
    return int.from_bytes(key[1 : 1 + NUMBER_BYTES], "big")


def place_of(key: bytes) -> int:
    """Which part a part's key names."""
    return int.from_bytes(key[1 + NUMBER_BYTES :], "big")


def cut(write: LargeWrite, token: bytes, size: int) -> list[bytes]:
    """The parts of a write, each of at most `size` bytes with its token."""
    whole, length = encode(write), size - TOKEN_BYTES
    return [token + whole[at : at + length] for at in range(0, len(whole), length)]


def join(parts: list[bytes]) -> LargeWrite:
    """The write that was cut into these parts."""
    return decode_large_write(b"".join(part[TOKEN_BYTES:] for part in parts))
