"""No framework and no state: fetch, decode, encode as much as the others, send. The limit."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from bench.contestants.equipment import equip, report
from bench.contestants.work import decode_request, encode
from bench.decide.topics import AIOKAFKA
from bench.decide.workload import TYPE, profile
from pipeline.producing.producer import start_producer
from pipeline.producing.write_queue import Entry
from policy.delivery_events import reached
from schemas.delivery import Content, Delivery
from schemas.request import Request
from schemas.vocabulary import Channel, Priority, Stage

TOKEN = profile(9).devices[0]
NO_ID = "0" * 32
FETCHED = 4000
"""Records of one fetch, and so of one batch of each output, at most."""
CONTENT = Content(
    title="Your order is on its way",
    body="DHL has picked up order A-00000000.",
    data={"order_id": "A-00000000", "tracking_number": "0" * 20},
)


def run(kafka: str, _: Path) -> None:
    """Run until killed."""
    uvloop.run(loop(kafka))


async def loop(kafka: str) -> None:
    """Fetch the next records while the broker takes the last ones."""
    producer = await start_producer(kafka)
    consumer = AIOKafkaConsumer(
        AIOKAFKA.requests,
        bootstrap_servers=kafka,
        group_id="bench-aiokafka",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    equip()
    report()
    sent: list[asyncio.Task[int]] = []
    while True:
        fetched = await consumer.getmany(timeout_ms=100, max_records=FETCHED)
        await asyncio.gather(*sent)
        sent = []
        for tp, records in fetched.items():
            deliveries, events = _outputs(records)
            for topic, entries in (
                (AIOKAFKA.deliver, deliveries),
                (AIOKAFKA.delivery_events, events),
            ):
                sent.append(asyncio.create_task(producer.write(topic, tp.partition, entries)))


def _outputs(records: Sequence[ConsumerRecord]) -> tuple[list[Entry], list[Entry]]:
    now = time.time_ns() // 1_000_000
    deliveries: list[Entry] = []
    events: list[Entry] = []
    for record in records:
        delivery = _delivery(decode_request(record.value), now)
        deliveries.append((record.key, encode(delivery)))
        events.append((None, encode(reached(delivery, Stage.QUEUED, now))))
    return deliveries, events


def _delivery(request: Request, now: int) -> Delivery:
    return Delivery(
        delivery_id=NO_ID,
        notification_id=NO_ID,
        event_id=request.event.id,
        type=request.type,
        category=TYPE.category,
        user=request.user,
        channel=Channel.PUSH,
        priority=Priority.HIGH,
        address=TOKEN,
        content=CONTENT,
        occurred_at=request.accepted_at,
        accepted_at=request.accepted_at,
        expires_at=now,
        catalogue=TYPE.catalogue,
    )
