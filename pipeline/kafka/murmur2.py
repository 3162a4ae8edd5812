"""Murmur2 as Kafka's Java client has it: the hash by which keys find their partitions."""

from struct import iter_unpack

_SEED = 0x9747B28C
_FACTOR = 0x5BD1E995
_BITS = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The hash of these bytes, from 0 to 2**32 - 1."""
    whole = len(data) & ~3
    result = _SEED ^ len(data)
    for (word,) in iter_unpack("<I", data[:whole]):
        word = word * _FACTOR & _BITS
        word = (word ^ word >> 24) * _FACTOR & _BITS
        result = result * _FACTOR & _BITS ^ word
    if whole < len(data):
        result = (result ^ int.from_bytes(data[whole:], "little")) * _FACTOR & _BITS
    result = (result ^ result >> 13) * _FACTOR & _BITS
    return result ^ result >> 15
