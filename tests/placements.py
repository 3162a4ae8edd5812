"""Where producers of other kinds put their records, worked out apart from our own code."""

import zlib
from collections.abc import Callable
from ctypes import c_int32

Placement = Callable[[int, str, int], tuple[bytes | None, int]]
"""For the record with this number, its key and so many partitions: the key it has, and where."""


def fnv1a(data: bytes) -> int:
    """FNV-1a of 32 bits, as http://www.isthe.com/chongo/tech/comp/fnv/ defines it."""
    value = 2166136261
    for octet in data:
        value ^= octet
        value = value * 16777619 % 2**32
    return value


def librdkafka(number: int, key: str, partitions: int) -> tuple[bytes | None, int]:
    """The default of confluent-kafka and all else that stands on librdkafka."""
    return key.encode(), zlib.crc32(key.encode()) % partitions


def sarama(number: int, key: str, partitions: int) -> tuple[bytes | None, int]:
    """The default of Sarama: the hash as a signed number, its remainder without the sign."""
    signed = c_int32(fnv1a(key.encode())).value
    return key.encode(), abs(signed) % partitions


def round_robin(number: int, key: str, partitions: int) -> tuple[bytes | None, int]:
    """One partition after the other, whatever the key is."""
    return key.encode(), number % partitions


def without_key(number: int, key: str, partitions: int) -> tuple[bytes | None, int]:
    """The same with no key at all."""
    return None, number % partitions


def by_another_key(number: int, key: str, partitions: int) -> tuple[bytes | None, int]:
    """Under a key of the producer's own, such as an order's number."""
    return librdkafka(number, f"order-{number}", partitions)


PLACEMENTS: dict[str, Placement] = {
    "librdkafka": librdkafka,
    "sarama": sarama,
    "round robin": round_robin,
    "no key": without_key,
    "another key": by_another_key,
}
