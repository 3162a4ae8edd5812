"""Making a dead letter of a record that can't be used."""

from hashlib import blake2b

from aiokafka import ConsumerRecord

from pipeline.kafka.decompression import Unread
from pipeline.monitoring.metrics import DEAD_LETTERS
from schemas.dead_letter import DeadLetter
from schemas.errors import BadRecord

KEPT_VALUE = 256 << 10
"""Bytes of a value that its dead letter keeps."""
KEPT_KEY = 64 << 10
"""Bytes of a key, and of all headers together, that it keeps."""
KEPT_DETAIL = 500
"""Characters of the detail, which may quote the record."""


def dead_letter(
    role: str,
    record: ConsumerRecord,
    error: BadRecord,
    at: int,
    *,
    keeps_value: bool = True,
    source: str = "",
) -> DeadLetter:
    """The record with its reason; reading the record again makes the same id.

    Without its value it says only where the record stands. `source` is the one of the catalogue
    that reads its topic.
    """
    DEAD_LETTERS.labels(role, record.topic, error.reason).inc()
    place = f"{role}/{record.topic}/{record.partition}/{record.offset}"
    if source:
        place = f"{source}/{place}"  # several may read the same topic
    key, value = record.key or b"", record.value or b""
    kept = KEPT_VALUE if keeps_value else 0
    headers = tuple((name, content or b"") for name, content in record.headers)
    headers_fit = sum(len(name) + len(content) for name, content in headers) <= KEPT_KEY
    return DeadLetter(
        id=blake2b(place.encode(), digest_size=8).hexdigest(),
        reason=error.reason,
        detail=error.detail[:KEPT_DETAIL],
        role=role,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=at,
        key=None if record.key is None else key[:KEPT_KEY],
        value=None if record.value is None else value[:kept],
        headers=headers if headers_fit else (),
        accepted_at=record.timestamp,
        truncated=(
            len(value) > kept
            or len(key) > KEPT_KEY
            or not headers_fit
            or isinstance(record.value, Unread)
        ),
        source=source,
    )
