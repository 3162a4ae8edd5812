"""Gathering the evidence of a run: accept log, inbox, outbox, state, dead letters, ClickHouse.

What Tocsin stores is read from its changelogs as any consumer could, by the layout of the keys.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import ConsumerRecord

from analytics.clickhouse import ClickHouse
from demo.topic_reader import read_topic
from demo.verify.evidence import Evidence, Excuse, Place, Posted, Stored
from embedded.simulators.accept_log import now, read_accept_log
from pipeline.settings import Settings
from schemas.dead_letter import DeadLetter

ITEM, TIMER, REQUEST = b"i", b"t", b"h"
"""What the keys of inbox items, of timers and of requests that wait begin with."""
TIMER_KEY = 10
"""Where the names in a timer's key begin: behind the two letters, the time has eight bytes."""
CONTENT, STORED_AT = 2, 4
"""Where an item's MessagePack array says what it shows, and when it was stored (epoch ms)."""
CHANNELS = 2
"""Where the array of a request that waits says for which channels."""
NOTIFICATION_DIGITS = 32
CHANNELS_SENT = ("push", "email", "sms", "inapp")
PRIORITIES = ("critical", "high", "normal", "low", "bulk")
"""What the topics that sinks read are named after."""
COLUMNS = (
    *("notification_id", "event_id", "user", "type", "category", "priority"),
    *("channel", "stage", "reason"),
)
ROWS = f"""
    SELECT DISTINCT {", ".join(COLUMNS)} FROM delivery_events
    WHERE stage IN ('suppressed', 'held')
"""  # noqa: S608 - names of our own


async def gather_evidence(settings: Settings, accept_log: Path) -> Evidence:
    """Ask everyone, once nothing moves any more; raises Unavailable without ClickHouse."""
    ended_at = round(now() * 1000)
    letters, inbox, outbox, excuses, held, accepted = await asyncio.gather(
        _letters(settings),
        read_inbox(settings),
        _outbox(settings),
        _excuses(settings),
        read_held(settings),
        asyncio.to_thread(read_accept_log, accept_log),
    )
    return Evidence(
        ended_at=ended_at,
        partitions=settings.partitions,
        accepted=accepted,
        inbox=inbox,
        letters=letters,
        excuses=excuses,
        held=held,
        outbox=outbox,
        priorities=await _priorities(settings),
    )


def key_parts(key: bytes) -> list[str]:
    """The parts of a table's key, each behind its length in two bytes."""
    parts, at = [], 0
    while at < len(key):
        end = at + 2 + int.from_bytes(key[at : at + 2], "big")
        parts.append(key[at + 2 : end].decode())
        at = end
    return parts


def stored(key: bytes, value: bytes) -> Stored:
    """An inbox item as its changelog record has it."""
    _, user, _, notification = key_parts(key[1:])
    item: list[Any] = msgspec.msgpack.decode(value)
    content = item[CONTENT]
    return Stored(
        user=user,
        notification_id=notification,
        at=item[STORED_AT],
        title=content.get("title", ""),
        body=content["body"],
        data=content.get("data", {}),
    )


def posted(record: ConsumerRecord) -> Posted:
    """A post as a record of the outbox has it."""
    post = json.loads(record.value)
    return Posted(
        notification_id=post["notification_id"], partition=record.partition, event=post["event"]
    )


def held_of(state: dict[bytes, bytes]) -> dict[Place, set[int]]:
    """When each notification that waits is due on a channel, from the decider's state.

    A timer says when something is due, by a user and a name; what waits under that name is a
    notification and its step, or a digest's row, which ends with the notification.
    """
    due = {
        tuple(key_parts(key[TIMER_KEY:])): int.from_bytes(key[2:TIMER_KEY], "big")
        for key in state
        if key.startswith(TIMER)
    }
    found: defaultdict[Place, set[int]] = defaultdict(set)
    for key, value in state.items():
        if not key.startswith(REQUEST):
            continue
        tenant, user, *row = key_parts(key[1:])
        name = row[0]
        waits = row[1][-NOTIFICATION_DIGITS:] if len(row) > 1 else name.partition(".")[0]
        channels: list[str] = msgspec.msgpack.decode(value)[CHANNELS]
        at = due.get((tenant, user, name))
        if at is not None:
            for channel in channels:
                found[waits, channel].add(at)
    return dict(found)


async def read_inbox(settings: Settings) -> list[Stored]:
    """Every item that is in an inbox now."""
    state = await _state(settings, "inapp", ITEM)
    return [stored(key, value) for key, value in state.items()]


async def read_held(settings: Settings) -> dict[Place, set[int]]:
    """What waits in the decider now; see held_of."""
    return held_of(await _state(settings, "decider", TIMER, REQUEST))


async def _state(settings: Settings, role: str, *prefixes: bytes) -> dict[bytes, bytes]:
    """What a role's changelog says of the tables with these prefixes, without what is deleted."""
    state: dict[bytes, bytes | None] = {}
    async for record in _read(settings, f"{role}-changelog"):
        if record.key.startswith(prefixes):
            state[record.key] = record.value
    return {key: value for key, value in state.items() if value is not None}


def _read(settings: Settings, topic: str) -> AsyncIterator[ConsumerRecord]:
    return read_topic(settings.kafka, topic, range(settings.partitions))


async def _letters(settings: Settings) -> list[DeadLetter]:
    decode = msgspec.json.Decoder(DeadLetter).decode
    return [decode(record.value) async for record in _read(settings, "dead-letters")]


async def _outbox(settings: Settings) -> list[Posted]:
    return [posted(record) async for record in _read(settings, "outbox")]


async def _priorities(settings: Settings) -> dict[Place, set[str]]:
    """With which priorities the messages of each place were written for the sinks."""
    found: defaultdict[Place, set[str]] = defaultdict(set)
    for channel, priority in product(CHANNELS_SENT, PRIORITIES):
        async for record in _read(settings, f"deliver.{channel}.{priority}"):
            found[json.loads(record.value)["notification_id"], channel].add(priority)
    return dict(found)


async def _excuses(settings: Settings) -> list[Excuse]:
    clickhouse = ClickHouse(settings)
    try:
        rows = await clickhouse.query(ROWS)
    finally:
        await clickhouse.close()
    return [Excuse(**dict(zip(COLUMNS, row, strict=True))) for row in rows]
