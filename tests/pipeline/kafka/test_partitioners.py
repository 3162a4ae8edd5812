"""Which partitioner a misplaced record seems to come from."""

import zlib

import pytest

from pipeline.kafka.partitioners import crc32_partition, fnv1a_partition, partitioner_of
from tests.placements import PLACEMENTS, fnv1a, librdkafka, sarama

KEYS = [f"user-{number}" for number in range(300)]


@pytest.mark.parametrize(
    ("text", "value"),
    [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"b", 0xE70C2DE5), (b"foobar", 0xBF9CF968)],
)
def test_the_hash_of_these_tests_has_the_published_values(text: bytes, value: int) -> None:
    assert fnv1a(text) == value


def test_sarama_takes_the_hash_as_signed_and_drops_the_sign_of_the_remainder() -> None:
    # 0xE40C292C is -468,965,076 and 0xBF9CF968 is -1,080,231,576.
    assert fnv1a_partition(b"a", 10) == 6
    assert fnv1a_partition(b"foobar", 7) == 4


def test_librdkafka_takes_crc32() -> None:
    assert zlib.crc32(b"123456789") == 0xCBF43926  # the check value of CRC-32
    assert crc32_partition(b"123456789", 10) == 2  # of 3,421,780,262


@pytest.mark.parametrize("partitions", [1, 2, 7, 64])
def test_both_are_where_the_tests_own_producers_put_keys(partitions: int) -> None:
    for number, key in enumerate(KEYS):
        assert crc32_partition(key.encode(), partitions) == librdkafka(number, key, partitions)[1]
        assert fnv1a_partition(key.encode(), partitions) == sarama(number, key, partitions)[1]


@pytest.mark.parametrize(
    ("placement", "name"),
    [("librdkafka", "crc32"), ("sarama", "fnv1a"), ("round robin", "other"), ("no key", "no key")],
)
def test_most_records_of_a_producer_are_told_by_its_partitioner(placement: str, name: str) -> None:
    found = []
    for number, key in enumerate(KEYS):
        name_of_record, partition = PLACEMENTS[placement](number, key, 64)
        found.append(partitioner_of(name_of_record, partition, 64))
    # By chance one in 64 agrees with another's.
    assert found.count(name) > 0.9 * len(KEYS)
