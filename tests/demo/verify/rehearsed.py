"""The demo's stream through the real router and decider, in memory and in virtual time.

Providers take everything at once, so what the judge finds is the decisions' alone.
"""

import json
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import msgspec

from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from demo.dataset.world import World
from demo.produce.happening import Happening
from demo.produce.kafka_writer import encode, record_of
from demo.produce.producer import line_of
from demo.produce.producer_log import read_claims
from demo.produce.stream import stream
from demo.verify.evidence import Evidence, Excuse, Place, Stored
from demo.verify.expected.type_spec import read_type_specs
from demo.verify.findings import Findings
from demo.verify.gathering import held_of, posted
from demo.verify.judge import judge
from embedded.simulators.accept_log import Accepted, data_digest_of, digest_of
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.topics import DEAD_LETTERS, DELIVER, DELIVERY_EVENTS, OUTBOX
from schemas.vocabulary import Channel, Stage
from tables.storage.memory_store import MemoryStore
from tests.agents.stage import CATALOGUE, our_catalogue

SPECS = read_type_specs(CATALOGUE)
NOT_SENT = (Stage.SUPPRESSED, Stage.HELD)


class _Place(msgspec.Struct):
    """Where the log took a record, as Kafka's client tells it."""

    topic: str
    partition: int
    offset: int
    timestamp: int


async def rehearse(
    world: World, events: int, lasting: timedelta, start: datetime, seed: int, then: timedelta
) -> Findings:
    """What the judge finds `then` after the stream's end."""
    clock = HeldClock(_ms(start) - 60_000)
    log = MemoryLog(clock)
    stores = MemoryStore(), MemoryStore()
    catalogues = FixedCatalogue(our_catalogue())
    town = Rehearsal(catalogues, Settings(), log, clock, *stores)
    await _write_people(world, log)
    await town.settle()
    lines = []
    for happening in stream(world, events, lasting.total_seconds(), start, seed):
        await town.advance(_ms(start) + round(happening.due * 1000))
        lines.append(await _write(happening, log, clock))
    end = _ms(start + lasting + then)
    await town.advance(end)
    claims = read_claims(json.dumps(line) + "\n" for line in lines)
    return judge(world, SPECS, claims, _evidence(log, stores[1], end))


async def _write_people(world: World, log: MemoryLog) -> None:
    for topic, key, records in (
        ("contacts", "user", world.contacts.values()),
        ("preferences", "user", world.preferences.values()),
        ("follows", "followee", world.follows()),
        ("suppressions", "user", world.subscriptions()),
        ("blocks", "user", world.block_records()),
    ):
        await log.write(topic, 0, [(each[key].encode(), encode(each)) for each in records])


async def _write(happening: Happening, log: MemoryLog, clock: HeldClock) -> dict[str, Any]:
    end = await log.write(happening.topic, 0, [record_of(happening.key, happening.value)])
    return line_of(happening, _Place(happening.topic, 0, end - 1, clock.now()))


def _evidence(log: MemoryLog, decider: MemoryStore, ended_at: int) -> Evidence:
    accepted, inbox = [], []
    priorities: defaultdict[Place, set[str]] = defaultdict(set)
    for (channel, priority), topic in DELIVER.items():
        for record in log.topics[topic.name]:
            delivery = msgspec.json.decode(record.value or b"", type=Delivery)
            priorities[delivery.notification_id, channel].add(priority)
            if delivery.channel is Channel.INAPP:
                inbox.append(_stored(delivery, record.timestamp))
            else:
                accepted.append(_accepted(delivery, record.timestamp))
    decode = msgspec.json.Decoder(DeliveryEvent).decode_lines
    rows = [
        row for record in log.topics[DELIVERY_EVENTS.name] for row in decode(record.value or b"")
    ]
    outbox = [posted(record) for record in log.topics[OUTBOX.name]]
    letters = log.topics[DEAD_LETTERS.name]
    return Evidence(
        ended_at=ended_at,
        partitions=1,
        accepted=accepted,
        inbox=inbox,
        letters=[msgspec.json.decode(each.value or b"", type=DeadLetter) for each in letters],
        excuses=[Excuse.of(row) for row in rows if row.stage in NOT_SENT],
        held=held_of(decider.stored),
        outbox=outbox,
        priorities=priorities,
    )


def _accepted(delivery: Delivery, at: int) -> Accepted:
    return Accepted(
        at=at / 1000,
        provider="any",
        channel=delivery.channel,
        notification_id=delivery.notification_id,
        delivery_id=delivery.delivery_id,
        address=delivery.address,
        title=delivery.content.title,
        digest=digest_of(delivery.content.body),
        reference=delivery.delivery_id,
        data=data_digest_of(delivery.content.data),
    )


def _stored(delivery: Delivery, at: int) -> Stored:
    content = delivery.content
    return Stored(
        user=delivery.user,
        notification_id=delivery.notification_id,
        at=at,
        title=content.title,
        body=content.body,
        data=content.data,
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
