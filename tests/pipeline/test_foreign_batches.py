"""Producers write batches as they like: a worker reads what librdkafka compressed and committed."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord
from confluent_kafka import Producer

from embedded.kafka import Kafka
from pipeline.consuming.app import SliceApp
from pipeline.consuming.consumer import SliceConsumer
from pipeline.kafka import decompression
from pipeline.kafka.decompression import Unread
from pipeline.processing.slices import Slice
from tests.patience import until
from tests.pipeline.recorder import PARTITIONS, Recorder

RECORDS = 200


def write(producer: Producer, recorder: Recorder) -> None:
    """Some records to each partition."""
    for number in range(RECORDS):
        for partition in range(PARTITIONS):
            producer.produce(recorder.topic.name, b"%d" % number * 50, partition=partition)
    assert producer.flush(60) == 0


def each(*offsets: range) -> dict[int, list[int]]:
    """These offsets, in each partition."""
    return {number: [at for part in offsets for at in part] for number in range(PARTITIONS)}


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_a_worker_reads_what_a_producer_compressed(
    kafka: Kafka, recorder: Recorder, codec: str
) -> None:
    options = {"compression.type": codec, "linger.ms": 50}
    write(Producer({"bootstrap.servers": kafka.address, **options}), recorder)
    async with recorder.worker():
        await until(lambda: recorder.count() == RECORDS * PARTITIONS)
    assert recorder.handled == each(range(RECORDS))


@pytest.fixture
async def recorder(kafka: Kafka) -> Recorder:
    recorder = Recorder(kafka.address)
    await recorder.fill(0)
    return recorder


@pytest.fixture
def producer(kafka: Kafka, recorder: Recorder) -> Producer:
    """One that writes in transactions."""
    options = {"transactional.id": recorder.name, "linger.ms": 50}
    producer = Producer({"bootstrap.servers": kafka.address, **options})
    producer.init_transactions(60)
    return producer


def are_read_to_the_end(app: SliceApp) -> bool:
    """Whether nothing is left that what waits for these topics should wait for."""
    at, cursors = app.partitions.frontiers(), app.consumer.cursors
    for tp in cursors:
        app.consumer.note_end(tp)
    return len(cursors) == PARTITIONS and all(
        cursor.is_at_end(at[tp]) for tp, cursor in cursors.items()
    )


def are_known_to_hold(app: SliceApp, records: int) -> bool:
    """Whether the brokers have told the worker of so many records, read or not."""
    client = app.consumer._thread._ensure_consumer()
    return all((client.highwater(tp) or 0) >= records for tp in app.consumer.cursors)


async def test_of_transactions_those_are_read_that_were_committed(
    recorder: Recorder, producer: Producer
) -> None:
    for is_kept in (True, False, True, False):
        producer.begin_transaction()
        write(producer, recorder)
        (producer.commit_transaction if is_kept else producer.abort_transaction)(60)
    # Each ends with a marker, which takes an offset.
    third = 2 * (RECORDS + 1)
    async with recorder.worker() as app:
        await until(lambda: are_read_to_the_end(app))
    assert recorder.handled == each(range(RECORDS), range(third, third + RECORDS))


async def test_an_open_transaction_holds_up_nobody_and_counts_once_it_is_committed(
    recorder: Recorder, producer: Producer
) -> None:
    async with recorder.worker() as app:
        producer.begin_transaction()
        write(producer, recorder)
        await until(lambda: are_known_to_hold(app, RECORDS))
        await until(lambda: are_read_to_the_end(app))
        assert recorder.count() == 0
        producer.commit_transaction(60)
        await until(lambda: recorder.count() == RECORDS * PARTITIONS)
    assert recorder.handled == each(range(RECORDS))


async def test_of_many_small_batches_that_unpack_to_much_few_are_held_at_once(
    recorder: Recorder, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch of half a megabyte may hold hundreds of them; no partition waits for another."""
    producer = Producer({"bootstrap.servers": kafka.address, "compression.type": "zstd"})
    for _ in range(30):
        for partition in range(PARTITIONS):
            producer.produce(recorder.topic.name, bytes(900_000), partition=partition)
        assert producer.flush(60) == 0
    seen: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
    first: list[int] = []
    fetch, largest = SliceConsumer._fetch, 0

    async def fetching(self: SliceConsumer, *args: Any) -> dict[Any, list[ConsumerRecord]]:
        nonlocal largest
        found = await fetch(self, *args)
        sizes = [sum(len(record.value) for record in records) for records in found.values()]
        largest = max(largest, *sizes, 0)
        if sizes:
            first.append(len(found))
        return found

    async def note(slice_: Slice) -> None:
        seen[slice_.partition.partition] += [record.offset for record in slice_.records]

    monkeypatch.setattr(SliceConsumer, "_fetch", fetching)
    monkeypatch.setattr(recorder, "handle", note)
    async with recorder.worker():
        await until(lambda: sum(map(len, seen.values())) == 30 * PARTITIONS)
    assert seen == each(range(30))
    assert largest <= decompression.FETCH_BYTES + 900_000
    assert PARTITIONS in first, "a partition had to wait until another was done"


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_batch_that_unpacks_to_too_much_is_one_record_that_says_so(
    kafka: Kafka, recorder: Recorder, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decompression, "MOST_BYTES", 1 << 20)
    options = {"compression.type": codec, "linger.ms": 500, "message.max.bytes": 100 << 20}
    producer = Producer({"bootstrap.servers": kafka.address, "batch.size": 50 << 20, **options})
    sizes = [[1000, 1000], [1 << 20, 1000, 3 << 20], [1 << 19], [1000]]
    for batch in sizes:
        for size in batch:
            producer.produce(recorder.topic.name, bytes(size), partition=0)
        assert producer.flush(60) == 0
    seen: list[tuple[int, int, bool]] = []

    async def note(slice_: Slice) -> None:
        seen.extend(
            (record.offset, len(record.value), isinstance(record.value, Unread))
            for record in slice_.records
        )

    monkeypatch.setattr(recorder, "handle", note)
    async with recorder.worker():
        await until(lambda: bool(seen) and seen[-1][0] == 6)
    assert seen == [
        (0, 1000, False),
        (1, 1000, False),
        (4, 0, True),
        (5, 1 << 19, False),
        (6, 1000, False),
    ]
