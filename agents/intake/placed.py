"""What a record of a company's topic says, on its way to its key's place."""

from aiokafka import ConsumerRecord

from pipeline.processing.misplaced import moved
from pipeline.producing.outputs import Outputs, partition_of
from policy.source.clocks import FIRST
from policy.source.record import Mapped, SourceRecord
from policy.time.timestamps import epoch_ms
from schemas.encoding import encode
from schemas.topics import INTO, PLACED

_PLACED = {name: PLACED[topic.read_by] for name, topic in INTO.items()}
"""By the public topic for which a record is mapped, where it is placed."""

_EARLIEST = epoch_ms(FIRST)
"""What is before that was told in another unit, or by a wrong clock."""


def add_placed(
    outputs: Outputs,
    record: ConsumerRecord,
    said: SourceRecord,
    mapped: Mapped,
    *,
    source: str,
    since: int,
    now: int,
    partitions: int,
) -> None:
    """Add what the source made of the record, as read at `now` (epoch ms).

    Of records with one `since` (epoch ms), those that come again are known where they arrive.
    """
    placed = moved(
        record,
        encode(mapped.value),
        accepted_at(record, now),
        headers=said.headers,
        source=source,
        into=mapped.into,
        since=since,
    )
    key = mapped.key
    outputs.add(_PLACED[mapped.into], partition_of(key, partitions), key.encode(), encode(placed))


def accepted_at(record: ConsumerRecord, now: int) -> int:
    """When Kafka took it; by the producer's clock where the topic goes by that, but never later
    than now: what is ahead would be the newest for as long."""
    return min(written_at(record, now), now)


def written_at(record: ConsumerRecord, now: int) -> int:
    """The record's time (epoch ms), or now where it has none: also where that is of no year in
    which records are written, as of a client that tells seconds for milliseconds."""
    return record.timestamp if record.timestamp >= _EARLIEST else now
