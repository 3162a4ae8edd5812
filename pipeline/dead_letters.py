"""Making a dead letter of a record that can't be used."""

from hashlib import blake2b

from aiokafka import ConsumerRecord

from pipeline.errors import BadRecord
from pipeline.metrics import DEAD_LETTERS
from schemas.dead_letter import DeadLetter

KEPT_VALUE = 256 << 10
"""Bytes of a value that its dead letter keeps."""


def dead_letter(role: str, record: ConsumerRecord, error: BadRecord, at: int) -> DeadLetter:
    """The record with its reason; reading the record again makes the same id."""
    DEAD_LETTERS.labels(record.topic, error.reason).inc()
    place = f"{role}/{record.topic}/{record.partition}/{record.offset}"
    value = record.value
    return DeadLetter(
        id=blake2b(place.encode(), digest_size=8).hexdigest(),
        reason=error.reason,
        detail=error.detail,
        role=role,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=at,
        key=record.key,
        value=value[:KEPT_VALUE] if value else value,
        headers=tuple((name, content or b"") for name, content in record.headers),
        truncated=bool(value) and len(value) > KEPT_VALUE,
    )
