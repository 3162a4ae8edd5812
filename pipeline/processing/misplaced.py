"""Records in another partition than their key's: handed over, and read in the right one.

Any Kafka client may write to a public topic, and many have another partitioner than Kafka's Java
client. What the value says is the key; a record in another partition than that key's is not handled
where it stands. It goes to the topic `misplaced`, from there the role `intake` brings it to the
topic `placed.ROLE`, in its key's partition, and there it is handled as if it had never moved:
topic, partition, offset, time of acceptance, key and headers are those of the first place.

Headers of public topics say nothing here, so a producer can't pretend that a record was moved.
"""

from collections.abc import Iterable

import msgspec
from aiokafka import ConsumerRecord

from pipeline.records.made_record import make_record
from schemas.dead_letter import DeadLetter
from schemas.encoding import UNDECODABLE, encode
from schemas.errors import BadRecord
from schemas.misplaced import Misplaced
from schemas.topics import MISPLACED, PLACED
from schemas.vocabulary import Reason

KEPT_KEY = 64 << 10
"""Bytes of a key, and of all headers together, that are kept."""
Headers = tuple[tuple[str, bytes], ...]
_ON_THEIR_WAY = frozenset(topic.name for topic in (MISPLACED, *PLACED.values()))
_decode = msgspec.json.Decoder(Misplaced).decode


class MovedRecord(ConsumerRecord):
    """A record as it stood where its producer wrote it, read in its key's partition.

    One that `is_direct` did not come by way of intake.
    """

    is_direct: bool = False


class SourcedRecord(ConsumerRecord):
    """What a source of the catalogue made of a record of a company's own topic.

    It stands where it was placed; its `origin` says where the company's record stands.
    """

    origin: Misplaced


def place_of(origin: Misplaced | DeadLetter) -> str:
    """Where a company's record stands, and which source has read it, in one word."""
    return f"{origin.source}/{origin.topic}/{origin.partition}/{origin.offset}"


def is_on_its_way(record: ConsumerRecord) -> bool:
    """Whether this is another record in the form in which it is moved."""
    return record.topic in _ON_THEIR_WAY


def handed_over(record: ConsumerRecord) -> bytes:
    """The value under which a record that can be decoded goes to `misplaced`."""
    return encode(moved(record, record.value or b"", record.timestamp))


def moved(
    record: ConsumerRecord,
    value: bytes,
    accepted_at: int,
    *,
    headers: Headers | None = None,
    source: str = "",
    into: str = "",
    since: int = 0,
) -> Misplaced:
    """This value with where the record stands, since when (epoch ms), and what is kept of its key
    and headers.

    `headers` are the record's own, where they are at hand; the rest is of what a source has read.
    """
    if headers is None:
        headers = headers_of(record)
    if headers and sum(len(name) + len(content) for name, content in headers) > KEPT_KEY:
        headers = ()
    key = record.key
    return Misplaced(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        accepted_at=accepted_at,
        value=msgspec.Raw(value),
        key=key if key is None or len(key) <= KEPT_KEY else None,
        headers=headers,
        source=source,
        into=into,
        since=since,
    )


def headers_of(record: ConsumerRecord) -> Headers:
    """A record's headers; Kafka lets one be without a value."""
    if not record.headers:
        return ()
    return tuple((name, content or b"") for name, content in record.headers)


def as_it_stood(
    record: ConsumerRecord, topics: Iterable[str], partitions: int
) -> MovedRecord | SourcedRecord:
    """The record that this one moves, of or into one of these topics; raises BadRecord."""
    try:
        source = _decode(record.value or b"")
    except msgspec.ValidationError as error:
        raise BadRecord(Reason.INVALID, str(error)) from None
    except UNDECODABLE as error:
        raise BadRecord(Reason.UNDECODABLE, str(error)) from None
    if not source.source:
        return stood(source, topics, partitions)
    if source.into not in topics:
        raise BadRecord(Reason.INVALID, f"no record is placed here for {source.into}"[:200])
    place = record.topic, record.partition, record.offset
    content = source.key, bytes(source.value), source.headers
    sourced = make_record(SourcedRecord, *place, source.accepted_at, *content)
    sourced.origin = source
    return sourced


def stood(source: Misplaced, topics: Iterable[str], partitions: int) -> MovedRecord:
    """The record that this one moves, of one of these topics; raises BadRecord."""
    if source.topic not in topics or source.partition >= partitions:
        place = f"{source.topic}-{source.partition}"[:200]
        raise BadRecord(Reason.INVALID, f"no record is moved here from {place}")
    record = make_record(
        MovedRecord,
        source.topic,
        source.partition,
        source.offset,
        source.accepted_at,
        source.key,
        bytes(source.value),
        source.headers,
    )
    if source.direct:
        record.is_direct = True
    return record
