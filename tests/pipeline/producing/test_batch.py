"""A batch that takes many records at once is the one that the client makes of them singly."""

import time
from random import Random

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from pipeline.producing.batch import SNAPPY, Batch
from pipeline.producing.producer import BATCH_BYTES
from pipeline.producing.write_queue import Entry

ENTRIES: list[Entry] = [
    (b"key", b"value"),
    (None, b"without a key"),
    (b"gone", None),
    (b"", b""),
    (b"long", bytes(range(256)) * 300),
]


def read(batch: BatchBuilder) -> list[Entry]:
    """What Kafka and its readers find in it."""
    found = DefaultRecordBatch(bytes(batch._build()))
    assert found.validate_crc()
    return [(record.key, record.value) for record in found]


def test_its_bytes_are_those_of_the_clients_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_790_000_000.123)
    ours, theirs = Batch(BATCH_BYTES), BatchBuilder(BATCH_BYTES, 0)
    assert ours.extend(ENTRIES[:2]) == 2
    assert ours.extend(ENTRIES[2:]) == 3
    for key, value in ENTRIES:
        theirs.append(key=key, value=value, timestamp=1_790_000_000_123)
    assert (ours.record_count(), ours.size()) == (theirs.record_count(), theirs.size())
    assert bytes(ours._build()) == bytes(theirs._build())


def test_its_records_bear_the_time_at_which_they_were_added() -> None:
    before = int(time.time() * 1000)
    batch = Batch(BATCH_BYTES)
    batch.extend(ENTRIES)
    times = {record.timestamp for record in DefaultRecordBatch(bytes(batch._build()))}
    assert times <= set(range(before, int(time.time() * 1000) + 1))


def test_it_takes_what_fits_and_says_how_much() -> None:
    batch = Batch(1_000)
    many: list[Entry] = [(b"k", bytes(200))] * 9
    assert batch.extend(many) == 4
    assert batch.extend(many) == 0
    assert batch.extend([(b"k", b"small")]) == 1
    assert read(batch) == [*many[:4], (b"k", b"small")]


def test_a_record_of_any_size_may_be_alone() -> None:
    batch = Batch(1_000)
    large: Entry = (b"k", bytes(5_000))
    assert batch.extend([large, large]) == 1
    assert read(batch) == [large]


ALIKE: list[Entry] = [(b"key-%d" % number, b'{"status":"delivered"}' * 20) for number in range(50)]


def test_where_much_is_to_come_it_is_compressed() -> None:
    plain, small = Batch(BATCH_BYTES), Batch(BATCH_BYTES, expected=20_000)
    for batch in (plain, small):
        batch.extend(ALIKE)
        assert batch.size() > 20_000  # until it is closed, by which it is known to be full
    assert len(small._build()) < len(plain._build()) / 10
    assert DefaultRecordBatch(bytes(small._build())).compression_type == SNAPPY
    assert read(small) == ALIKE


def test_what_can_not_be_compressed_grows_by_a_few_bytes() -> None:
    noise: list[Entry] = [(None, Random(1).randbytes(1_000))]
    plain, packed = Batch(BATCH_BYTES), Batch(BATCH_BYTES, expected=1_000)
    for batch in (plain, packed):
        batch.extend(noise)
    assert len(packed._build()) <= len(plain._build()) + 40
    assert read(packed) == noise
