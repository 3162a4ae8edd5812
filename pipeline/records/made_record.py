"""A record as Kafka's client gives it, for callers that have stored only its content."""

from collections.abc import Sequence
from typing import TypeVar

from aiokafka import ConsumerRecord

Kind = TypeVar("Kind", bound=ConsumerRecord)


def make_record(
    kind: type[Kind],
    topic: str,
    partition: int,
    offset: int,
    at: int,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]] = (),
) -> Kind:
    """The record that stood there, and that Kafka took at `at` (epoch ms)."""
    made: Kind = kind(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=at,
        timestamp_type=1,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(value or b""),
        headers=headers,
    )
    return made
