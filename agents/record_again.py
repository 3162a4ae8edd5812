"""A record as it once came, for whoever has only kept what it said."""

from aiokafka import ConsumerRecord


def record_again(
    topic: str, partition: int, offset: int, at: int, key: bytes, value: bytes
) -> ConsumerRecord:
    """The record that stood there, and that Kafka took at `at` (epoch ms)."""
    return ConsumerRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=at,
        timestamp_type=1,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key),
        serialized_value_size=len(value),
        headers=(),
    )
