"""The demo's second producer: a shop that has a topic of its own, and knows nothing of Tocsin.

`python -m demo.produce.shop --kafka HOST:PORT --log FILE --seed N --orders N --seconds S` writes
each change of its orders as Debezium does, under the row's key, in the partition that librdkafka
chooses by default. The log says what each record means, as the shop would say it.
"""

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from demo.dataset.events import CARRIERS, SHOPS
from demo.dataset.world import make_world
from demo.produce.kafka_writer import encode
from demo.produce.producer_log import Line, ProducerLog, record_digest
from pipeline.kafka.partitioners import crc32_partition

TOPIC = "shop.public.orders"
PARTITIONS = 5
"""Another number than any of Tocsin's topics has."""
REPEATED = 0.05
"""Share of changes that are written twice, as a connector does that was killed."""
BAD_AT = 0.5
"""Share of the time after which a record comes that is no JSON."""
LEAD = 0.5
"""Seconds in which everything is made up before it begins."""
_BAD = b'{"before": null, "after": {"id": '


@dataclass(frozen=True, kw_only=True)
class Change:
    """A record of the topic, due so many seconds after the start.

    `said` is what it means where that is an event, `again` whether that was written before.
    """

    due: float
    key: bytes
    value: bytes
    said: Line | None = None
    again: bool = False


def changes(seed: int, orders: int, seconds: float, start: datetime) -> list[Change]:
    """Everything to write, in the order it is due; pure."""
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    customers = sorted(make_world(seed).users)
    made = [
        change
        for number in range(orders)
        for change in _of_order(number, seconds * number / orders, customers, start, random)
    ]
    made.append(Change(due=seconds * BAD_AT, key=b'{"id":-1}', value=_BAD))
    # Of one order the changes stay in their order: sorting keeps those that are due together.
    return sorted(made, key=lambda change: change.due)


def _of_order(
    number: int, due: float, customers: list[str], start: datetime, random: Random
) -> Iterator[Change]:
    at = start + timedelta(seconds=due)
    paid = {
        "id": 700_000 + number,
        "shop_id": f"{random.randrange(SHOPS):02d}",
        "customer_id": random.choice(customers),
        "status": "paid",
        "carrier": None,
        "tracking_number": None,
        "changed_at": _micros(at),
    }
    parcel = {"carrier": random.choice(CARRIERS), "tracking_number": f"{number:012X}"}
    shipped = paid | parcel | {"status": "shipped"}
    delivered = shipped | {"status": "delivered"}
    key = encode({"id": paid["id"]})
    yield Change(due=due, key=key, value=_told("c", None, paid, at))
    said = {
        "id": f"shop/{paid['id']}/shipped",
        "type": "order.shipped",
        "actor": f"shop-{paid['shop_id']}",
        "occurred_at": at.isoformat(),
        "data": {"customer_id": paid["customer_id"], "order_id": paid["id"]} | parcel,
    }
    record = _told("u", paid, shipped, at)
    yield Change(due=due, key=key, value=record, said=said)
    if random.random() < REPEATED:
        yield Change(due=due, key=key, value=record, said=said, again=True)
    yield Change(due=due, key=key, value=_told("u", shipped, delivered, at))


def _told(operation: str, before: Any, after: Any, at: datetime) -> bytes:
    now = _micros(at) // 1000
    source = {"version": "3.0.0.Final", "connector": "postgresql", "name": "shop", "ts_ms": now}
    return encode(
        {
            "before": before,
            "after": after,
            "source": source | {"db": "shop", "schema": "public", "table": "orders"},
            "op": operation,
            "ts_ms": now,
        }
    )


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


async def write_orders(kafka: str, path: Path, seed: int, orders: int, seconds: float) -> None:
    """Write the changes at their pace, and to the log what the broker took; raises KafkaError."""
    await _create(kafka)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True)
    await producer.start()
    log = ProducerLog(path)
    try:
        start = datetime.now(UTC) + timedelta(seconds=LEAD)
        for change in await asyncio.to_thread(changes, seed, orders, seconds, start):
            wait = (start - datetime.now(UTC)).total_seconds() + change.due
            if wait > 0:
                await asyncio.sleep(wait)
            place = crc32_partition(change.key, PARTITIONS)
            taken = await producer.send_and_wait(TOPIC, change.value, change.key, place)
            if (line := line_of(change, taken)) is not None:
                await asyncio.to_thread(log.append, [line])
    finally:
        log.close()
        await producer.stop()


def line_of(change: Change, place: Any) -> Line | None:
    """The log's line for a record that stands at `place`; None where nothing comes of it."""
    if change.value == _BAD:
        return {
            "bad": "an order that is no JSON",
            "reason": "undecodable",
            "digest": record_digest(change.key, change.value),
            "topic": place.topic,
            "partition": place.partition,
            "offset": place.offset,
        }
    if change.said is None:
        return None
    if change.again:
        return {"repeat": change.said["id"], "at": place.timestamp}
    return change.said | {"at": place.timestamp}


async def _create(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    finally:
        await admin.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.produce.shop", description=__doc__)
    parser.add_argument("--kafka", required=True, help="a broker, as host:port")
    parser.add_argument("--log", type=Path, required=True, help="what was accepted, appended")
    parser.add_argument("--seed", type=int, required=True, help="which world")
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    asyncio.run(write_orders(given.kafka, given.log, given.seed, given.orders, given.seconds))


if __name__ == "__main__":
    main()
