"""Which partitioner placed a record, as far as its key shows."""

import zlib
from functools import lru_cache

NO_KEY = "no key"
CRC32 = "crc32"
FNV1A = "fnv1a"
OTHER = "other"
_FNV_BASIS = 0x811C9DC5
_FNV_PRIME = 0x01000193


def partitioner_of(key: bytes | None, partition: int, partitions: int) -> str:
    """The name of a well-known partitioner by which this key goes to this partition.

    CRC32 is librdkafka's default, FNV-1a Sarama's. One record proves nothing, as any partitioner
    agrees with another by chance; many do.
    """
    if not key:
        return NO_KEY
    if crc32_partition(key, partitions) == partition:
        return CRC32
    if fnv1a_partition(key, partitions) == partition:
        return FNV1A
    return OTHER


def crc32_partition(key: bytes, partitions: int) -> int:
    """Where librdkafka's `consistent_random` puts a key."""
    return zlib.crc32(key) % partitions


@lru_cache(maxsize=1 << 12)
def fnv1a_partition(key: bytes, partitions: int) -> int:
    """Where Sarama's hash partitioner puts a key: the remainder of a signed hash, without sign."""
    value = _FNV_BASIS
    for byte in key:
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    signed = value - (1 << 32) if value >= 1 << 31 else value
    return abs(signed) % partitions
