"""Bare loops: fetch, decode, and send each record as it is under the key that it speaks of."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from bench.contestants.aiokafka import FETCHED
from bench.contestants.equipment import equip, report
from bench.intake.orders import BATCHED, PARTITIONS, READERS, rekeyed, topic
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import start_producer
from pipeline.producing.write_queue import Entry

Keyed = list[tuple[str, bytes]]
"""Records by the keys that they are to have."""
Send = Callable[[Keyed], Coroutine[Any, Any, Any]]
BATCH_BYTES = 1 << 18


def run(kafka: str, _: Path, variant: str) -> None:
    """Run until killed: with the client's own producer, or with ours, which is batched."""
    form = variant.removesuffix(BATCHED)
    uvloop.run(loop(kafka, form, _batched if form != variant else _one_by_one))


async def loop(
    kafka: str, form: str, start: Callable[[str, str], Coroutine[Any, Any, Send]]
) -> None:
    """Fetch and decode the next records while the broker takes the last ones."""
    send = await start(kafka, form)
    consumer = AIOKafkaConsumer(
        topic(form),
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    equip()
    report()
    sending: asyncio.Task[Any] | None = None
    while True:
        fetched = await consumer.getmany(timeout_ms=100, max_records=FETCHED)
        keyed = [each for records in fetched.values() for each in _keyed(records, READERS[form])]
        if sending is not None:
            await sending
        sending = asyncio.create_task(send(keyed))


def _keyed(records: list[ConsumerRecord], read: Callable[[bytes], Any]) -> Keyed:
    return [(str(read(record.value)["after"]["shop_id"]), record.value) for record in records]


async def _one_by_one(kafka: str, form: str) -> Send:
    """As aiokafka's documentation has it, with the guarantees and the compression of ours."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka,
        enable_idempotence=True,
        compression_type="snappy",
        max_batch_size=BATCH_BYTES,
    )
    await producer.start()

    async def send(keyed: Keyed) -> None:
        output = rekeyed(form)
        await asyncio.gather(
            *[await producer.send(output, value, key.encode()) for key, value in keyed]
        )

    return send


async def _batched(kafka: str, form: str) -> Send:
    """By our producer, which takes the records of a partition together."""
    producer = await start_producer(kafka)

    async def send(keyed: Keyed) -> None:
        output, by_place = rekeyed(form + BATCHED), defaultdict[int, list[Entry]](list)
        for key, value in keyed:
            by_place[partition_of(key, PARTITIONS)].append((key.encode(), value))
        await asyncio.gather(*(producer.write(output, *place) for place in by_place.items()))

    return send
