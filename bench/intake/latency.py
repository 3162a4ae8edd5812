"""What a source adds to a record's way at a steady rate, by the broker's own clock."""

import asyncio
import time

import msgspec
from msgspec import Struct

from bench.contestants.equipment import WORDS
from bench.decide.broker import Arena
from bench.decide.race import BROKER, command, says
from bench.intake.orders import PARTITIONS, orders, topic
from bench.pairs import ITSELF
from bench.processor import cpu_seconds, cpu_us_each
from embedded.local_stack import ROOT
from embedded.process import Child, tail
from schemas.errors import Unavailable
from schemas.misplaced import Misplaced
from schemas.topics import PLACED

WARM_UP = 3.0
"""Seconds under load before anything is measured."""
PATIENCE = 60.0
"""Seconds within which all must have come."""
OUTPUT = PLACED["router"].name
_decode = msgspec.json.Decoder(Misplaced).decode


class Added(Struct, frozen=True):
    """Milliseconds from when Kafka took a company's record to when it had what it became, at so
    many records a second one by one; and processor time a record in µs, by process."""

    rate: int
    records: int
    p50_ms: int
    p99_ms: int
    cpu_us: dict[str, float]


async def added(arena: Arena, contestant: str, form: str, rate: int, seconds: float) -> Added:
    """Have a contestant of ours read what is written at this rate to topics that are empty yet."""
    child, log = Child(f"The contestant {contestant}"), arena.folder / "latency.log"
    warm, count = round(rate * WARM_UP), round(rate * seconds)
    try:
        argv, env = command(arena, contestant), {"PYTHONPATH": str(ROOT)}
        await child.start(argv, env, log, lambda: says(log, WORDS))
        await _write(arena, form, rate, warm)
        await _arrived(arena, warm, child)
        pids = {ITSELF: child.pid, BROKER: arena.broker}
        spent, since = cpu_seconds(pids), int(time.time() * 1000)
        await _write(arena, form, rate, count)
        await _arrived(arena, warm + count, child)
        cpu = cpu_us_each(spent, cpu_seconds(pids), count)
    except Unavailable as error:
        raise Unavailable(f"{error}\n{tail(log)}") from error
    finally:
        await child.kill()
    placed = [(_decode(each.value), each.timestamp) async for each in arena.read(OUTPUT)]
    took = sorted(at - each.accepted_at for each, at in placed if each.accepted_at >= since)
    if len(took) != count:
        raise RuntimeError(f"{len(took)} of {count} records were placed")
    return Added(rate, count, took[count // 2], took[int(count * 0.99)], cpu)


async def _write(arena: Arena, form: str, rate: int, count: int) -> None:
    begin = time.monotonic()
    async with asyncio.TaskGroup() as writes:
        for number, entry in enumerate(orders(count, form)):
            await asyncio.sleep(begin + number / rate - time.monotonic())
            place = number % PARTITIONS
            writes.create_task(arena.producer.write(topic(form), place, [entry]))


async def _arrived(arena: Arena, count: int, child: Child) -> None:
    end = time.monotonic() + PATIENCE
    while (found := await arena.count(OUTPUT)) < count:
        if not child.running or time.monotonic() > end:
            raise Unavailable(f"{child.name} placed {found} of {count} records.")
        await asyncio.sleep(0.1)
