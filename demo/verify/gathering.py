"""Gathering the evidence of a run: accept log, inbox, outbox, dead letters and ClickHouse."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from analytics.clickhouse import ClickHouse
from demo.evidence import Evidence, Silence, Stored
from demo.topic_reader import read_topic
from embedded.simulators.accept_log import read_accept_log
from pipeline.settings import Settings
from schemas.dead_letter import DeadLetter

ITEM = b"i"
"""What the keys of the inbox table begin with; its changelog has frontiers beside it."""
STORED_AT = 4
"""Where an item's MessagePack array says when it was stored (epoch ms)."""
SILENCES = """
    SELECT event_id, user, type, channel, reason, toUnixTimestamp64Milli(any(at))
    FROM delivery_events WHERE stage IN ('suppressed', 'held')
    GROUP BY event_id, user, type, channel, reason
"""


async def gather_evidence(settings: Settings, accept_log: Path) -> Evidence:
    """Ask everyone, once nothing moves any more; raises Unavailable without ClickHouse."""
    letters, inbox, outbox, silences, accepted = await asyncio.gather(
        _letters(settings),
        _inbox(settings),
        _outbox(settings),
        _silences(settings),
        asyncio.to_thread(read_accept_log, accept_log),
    )
    return Evidence(
        accepted=accepted, inbox=inbox, letters=letters, silences=silences, outbox=outbox
    )


def key_parts(key: bytes) -> list[str]:
    """The parts of a table's key after its first byte, each behind its length in two bytes."""
    parts, at = [], 1
    while at < len(key):
        end = at + 2 + int.from_bytes(key[at : at + 2], "big")
        parts.append(key[at + 2 : end].decode())
        at = end
    return parts


def stored(key: bytes, value: bytes) -> Stored:
    """An inbox item as its changelog record tells it."""
    _, user, _, notification = key_parts(key)
    item: list[Any] = msgspec.msgpack.decode(value)
    return Stored(user=user, notification_id=notification, at=item[STORED_AT])


def _read(settings: Settings, topic: str) -> AsyncIterator[ConsumerRecord]:
    return read_topic(settings.kafka, topic, range(settings.partitions))


async def _letters(settings: Settings) -> list[DeadLetter]:
    decode = msgspec.json.Decoder(DeadLetter).decode
    return [decode(record.value) async for record in _read(settings, "dead-letters")]


async def _inbox(settings: Settings) -> list[Stored]:
    items: dict[bytes, bytes | None] = {}
    async for record in _read(settings, "inapp-changelog"):
        if record.key.startswith(ITEM):
            items[record.key] = record.value
    return [stored(key, value) for key, value in items.items() if value is not None]


async def _outbox(settings: Settings) -> frozenset[str]:
    posts = [json.loads(record.value) async for record in _read(settings, "outbox")]
    return frozenset(post["notification_id"] for post in posts)


async def _silences(settings: Settings) -> list[Silence]:
    clickhouse = ClickHouse(settings)
    try:
        rows = await clickhouse.query(SILENCES)
    finally:
        await clickhouse.close()
    fields = ("event_id", "user", "type", "channel", "reason", "at")
    return [Silence(**dict(zip(fields, row, strict=True))) for row in rows]
